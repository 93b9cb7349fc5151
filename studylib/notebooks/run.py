"""The cells of a notebook, one after the other, and what becomes of the file when that ends early."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, NoReturn, final

from jupyter_core.utils import ensure_async, run_sync
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.log import logger

from studylib.errors import StudyError
from studylib.notebooks.cell import Filling
from studylib.notebooks.driver import Ended, Message, Overrun, Process
from studylib.notebooks.kernel import LAST_LINES, exit_words
from studylib.notebooks.saving import Saving

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from papermill.engines import NotebookExecutionManager

LANGUAGE = {
    "name": "python",
    "version": ".".join(map(str, sys.version_info[:3])),
    "mimetype": "text/x-python",
    "codemirror_mode": {"name": "ipython", "version": 3},
    "pygments_lexer": "ipython3",
    "nbconvert_exporter": "python",
    "file_extension": ".py",
}  # what a kernel says of itself


@final
class Stopped(StudyError):  # noqa: N818  it names what happened
    """A run was cut short; the notebook has it too, in the cell where it was."""


def stopped(nb_man: NotebookExecutionManager, why: str) -> NoReturn:
    """Write into the cell that was running why it ended, and raise that."""
    raise Stopped(cut_short(nb_man, why) + why)


def cut_short(nb_man: NotebookExecutionManager, why: str) -> str:
    """Write into the cell that was running why it ended, where papermill would call it completed.

    Returns:
        Which cell that was, as the begin of a sentence.
    """
    cells = nb_man.nb.cells
    begun = [cell for cell in cells if cell.metadata.papermill["status"] != nb_man.PENDING]
    for cell in begun[-1:] or cells[:1]:
        nb_man.cell_exception(cell)
        if cell.cell_type == "code":
            cell.outputs.append(new_output("error", ename="Stopped", evalue=why, traceback=[why]))
    return f"in cell {begun[-1].get('id', len(begun) - 1)!r} " if begun else "before the first cell, "


def overrun(limit: float | None) -> str:
    """Return why a cell was stopped that took longer than ``limit`` seconds."""
    return f"the limit of {limit:g} s for one cell was reached."


@final
class Run:
    """One run of a notebook in one process."""

    def __init__(
        self,
        nb_man: NotebookExecutionManager,
        process: Process,
        limit: float | None,
        settings: Mapping[str, Any],
    ) -> None:
        known = {key: value for key, value in settings.items() if key != "input_path"}
        self._client = PapermillNotebookClient(nb_man, log=logger, **known)  # keeps outputs and settings
        self._man, self._process, self._limit = nb_man, process, limit
        self._saving = Saving(nb_man)

    def cells(self) -> None:
        """Run all cells, up to the first that fails.

        Raises:
            Stopped: the process died, or a cell took too long.
        """
        self._client.reset_execution_trackers()
        self._hook("on_notebook_start", notebook=self._man.nb)
        with self._saving:
            self._cells()
        self._man.nb.metadata["language_info"] = LANGUAGE

    def _cells(self) -> None:
        for index, cell in enumerate(self._man.nb.cells):
            self._man.cell_start(cell, index)
            try:
                self._cell(cell, index)
            except CellExecutionError as error:
                self._man.cell_exception(cell, cell_index=index, exception=error)
                break
            except BaseException:
                self._man.cell_exception(cell, cell_index=index)
                raise
            finally:
                self._man.cell_complete(cell, cell_index=index)

    def _cell(self, cell: NotebookNode, index: int) -> None:
        where = {"cell": cell, "cell_index": index}
        self._hook("on_cell_start", **where)
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or not cell.source.strip() or self._client.skip_cells_with_tag in tags:
            return
        self._hook("on_cell_execute", **where)
        filling, reply = Filling(self._client, cell, index), Message("", {})
        try:
            for reply in self._process.run(cell.source, self._limit):
                filling.take(reply)
                if self._saving.due():
                    filling.settle()
                    self._saving.write()
        except Ended as ended:
            last = filling.said().strip().splitlines()[-LAST_LINES:]
            stopped(self._man, "\n  ".join([f"the kernel died: {exit_words(ended.code)}.", *last]))
        except Overrun:
            stopped(self._man, overrun(self._limit))
        finally:
            filling.settle()
        self._hook("on_cell_complete", **where)
        self._hook("on_cell_executed", **where, execute_reply={"content": reply.content})
        if reply.content["status"] == "error":
            self._failed(cell, index, reply.content)

    def _failed(self, cell: NotebookNode, index: int, reply: dict[str, Any]) -> None:
        client = self._client
        self._hook("on_cell_error", cell=cell, cell_index=index, execute_reply={"content": reply})
        allowed = (
            client.allow_errors
            or reply["ename"] in client.allow_error_names
            or "raises-exception" in cell.metadata.get("tags", [])
        )
        if client.force_raise_errors or not allowed:
            raise CellExecutionError.from_cell_and_msg(cell, reply)

    def _hook(self, name: str, **told: Any) -> None:
        if hook := getattr(self._client, name):
            result = hook(**told)
            if isawaitable(result):
                run_sync(ensure_async)(result)

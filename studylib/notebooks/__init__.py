"""Run a notebook from top to bottom, and say truthfully how far it came.

Papermill fills in the parameters and drives the cells. What it leaves open is settled here: a kernel that
dies or a cell that overruns is a failure with a name, the file is written whole or not at all, nothing of
the machine or the clock stays in it, and the same inputs give the same bytes.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from papermill.execute import remove_error_markers

from studylib.errors import ParameterError, StudyError
from studylib.notebooks.kernel import running
from studylib.records import write_whole

LAST_LINES = 8  # of a traceback: the line that raised it, and what it said


def execute(
    source: Path, output: Path, parameters: Mapping[str, Any], *, cell_timeout: float | None = None
) -> None:
    """Run the notebook ``source`` with ``parameters`` and write it, with its outputs, to ``output``.

    A run that fails leaves ``output`` as it was; as far as it came, the notebook is written beside it, as
    ``<name>.failed.ipynb``.

    Args:
        source: the notebook; it is not changed.
        output: where the executed notebook goes; its folder is made.
        parameters: values for the notebook's parameters cell, of the kinds that JSON has.
        cell_timeout: seconds that one cell may take; None sets no limit.

    Raises:
        ParameterError: no such notebook, the same file twice, or a parameter that JSON cannot hold.
        StudyError: a cell raised an error or took too long, or the kernel died: in which cell, and why.
    """
    if source.resolve() == output.resolve():
        raise ParameterError(f"{output}: the outputs would replace the notebook itself. Name another file.")
    watch = _Watch(_read(source))
    failure = _run(watch, _plain(parameters), cell_timeout)
    partial = output.with_suffix(".failed.ipynb")
    if failure:
        write_whole(partial, _settled(watch.notebook))
        raise StudyError(f"{source}: {failure}\nAs far as it came, the notebook is in {partial}.")
    write_whole(output, _settled(watch.notebook))
    partial.unlink(missing_ok=True)


@final
@dataclass
class _Watch:
    """What the client tells while it runs: the notebook that it fills, and the cell that it is in."""

    notebook: NotebookNode
    cell: NotebookNode | None = None

    def on_notebook_start(self, notebook: NotebookNode) -> None:
        self.notebook = notebook

    def on_cell_start(self, cell: NotebookNode, cell_index: int) -> None:  # noqa: ARG002  # both are given by name
        self.cell = cell

    def stopped(self, why: str) -> str:
        """Write ``why`` into the cell that was running, where papermill would say "completed"."""
        if self.cell is None:
            return f"before the first cell, {why}"
        self.cell.metadata.papermill.update(status="failed", exception=True)
        self.cell.outputs.append(
            nbformat.v4.new_output("error", ename="Stopped", evalue=why, traceback=[why])
        )
        for cell in self.notebook.cells[self.notebook.cells.index(self.cell) + 1 :]:
            cell.metadata.papermill["status"] = "pending"
        return f"in cell {self.cell.id!r} {why}"


def _run(watch: _Watch, parameters: dict[str, Any], cell_timeout: float | None) -> str:
    """Execute the notebook; return where and why it failed, or nothing."""
    with _quiet(), running() as kernel:
        try:
            papermill.execute_notebook(
                watch.notebook,
                None,
                parameters,
                kernel_name="python3",
                language="python",
                progress_bar=False,
                request_save_on_cell_execute=False,
                execution_timeout=cell_timeout,
                km=kernel,
                record_timing=False,
                coalesce_streams=True,
                on_notebook_start=watch.on_notebook_start,
                on_cell_start=watch.on_cell_start,
            )
        except PapermillExecutionError:
            pass  # the outputs tell it too, and they name the first failing cell
        except CellTimeoutError:
            return watch.stopped(f"the limit of {cell_timeout:g} s for one cell was reached.")
        except DeadKernelError:
            return watch.stopped(f"the kernel died{kernel.last_words()}")
        except RuntimeError as error:
            return watch.stopped(f"the kernel stopped answering ({error}){kernel.last_words()}")
    return _first_error(watch.notebook)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep papermill's remarks off the terminal: what matters in them is in our errors."""
    log = logging.getLogger("papermill")
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(before)


def _read(source: Path) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(source, as_version=4)
        nbformat.validate(notebook)
    except OSError as error:
        raise ParameterError(f"{source}: cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, AttributeError, KeyError, nbformat.ValidationError) as error:
        raise ParameterError(f"{source}: expected a notebook, but {str(error).splitlines()[0]}.") from None
    return notebook


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy made of what JSON has: papermill would turn anything else into text without a word."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(parameters)))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"parameters: expected numbers, texts, lists, mappings, but {error}.") from None
    return plain


def _first_error(notebook: NotebookNode) -> str:
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback)).rstrip()
                lines = trace.splitlines()[-LAST_LINES:]
                return "\n  ".join([f"cell {cell.id!r} raised {output.ename}: {output.evalue}", *lines])
    return ""


def _settled(notebook: NotebookNode) -> bytes:
    """Return the notebook as bytes without clock times, random names and paths."""
    notebook = remove_error_markers(notebook)
    told = notebook.metadata.get("papermill", {})
    notebook.metadata.papermill = {"parameters": told.get("parameters", {})}
    for cell in notebook.cells:
        told = cell.metadata.get("papermill", {})
        cell.metadata.papermill = {key: told.get(key) for key in ("status", "exception")}
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.id = "injected-parameters"
    text: str = nbformat.writes(notebook)
    return text.encode() + b"\n"

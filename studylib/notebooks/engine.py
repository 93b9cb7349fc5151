"""A papermill engine: a notebook costs a fork of a warm process, where a kernel would have to start cold.

A notebook that this cannot serve (widgets, another language, a system that cannot fork) gets a kernel. Either
way the file tells the truth about a run that was cut short, where papermill calls the cell completed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, final

import papermill.engines
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import NBClientEngine, NotebookExecutionManager

from studylib.notebooks import driver, fork, kernel
from studylib.notebooks.imports import imported, needs_a_client
from studylib.notebooks.masking import mask
from studylib.notebooks.run import Run, Stopped, cut_short, overrun, stopped
from studylib.notebooks.warm import warmed

if TYPE_CHECKING:
    from nbformat import NotebookNode

NAME = "studylib"
OF_THIS_INTERPRETER = ("python3", "python")  # kernels by these names; others may be of any environment
# settings that only a kernel has a use for
OF_KERNELS = {"km", "kernel_manager_class", "extra_arguments", "resources", "interrupt_on_timeout"}


@final
class Engine(papermill.engines.Engine):  # type: ignore[misc]  # papermill has no types
    """Runs the cells of a notebook in a process that is forked from a warm one."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        *,
        start_timeout: float | None = 60,
        execution_timeout: float | None = None,
        environment: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        """Run the notebook that ``nb_man`` holds.

        Args:
            nb_man: papermill's view of the run.
            kernel_name: the kernel that the notebook asks for.
            start_timeout: seconds to wait for the process.
            execution_timeout: seconds that one cell may take.
            environment: variables of the process, beside those of this one.
            settings: others that papermill and nbclient know.

        Raises:
            Stopped: the process died, or a cell took too long.

        Whatever else ends the run, Ctrl-C too, is written into the cell where it was, and raised as it came.
        """
        limit = execution_timeout or settings.pop("timeout", None)
        settings["start_timeout"] = start_timeout
        try:
            _run(nb_man, kernel_name, {**kernel.ENVIRONMENT, **(environment or {})}, settings, limit)
        except Stopped:
            raise
        except BaseException as error:
            cut_short(nb_man, _words(error))
            raise
        finally:
            mask(nb_man.nb)


papermill.engines.papermill_engines.register(NAME, Engine)


def _words(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "the run was interrupted."
    return f"{type(error).__name__}: {error}"


def _run(
    nb_man: NotebookExecutionManager,
    kernel_name: str,
    variables: Mapping[str, str],
    settings: dict[str, Any],
    limit: float | None,
) -> None:
    """Run the notebook in a fork where it can be, else in a kernel."""
    start_timeout = settings["start_timeout"]
    names = imported(cell.source for cell in nb_man.nb.cells if cell.cell_type == "code")
    own = _is_own(kernel_name, nb_man.nb) and not OF_KERNELS & settings.keys()
    if own and fork.possible() and not needs_a_client(names):
        try:
            with fork.running(variables, warmed(names), start_timeout) as process:
                others = {name: one for name, one in settings.items() if name != "start_timeout"}
                return Run(nb_man, process, limit, others).cells()
        except driver.CannotBeWarm:
            pass
        except driver.Ended as ended:
            stopped(nb_man, f"the kernel died: {kernel.exit_words(ended.code)}.")
        except driver.Overrun:
            stopped(nb_man, f"the kernel was not there after {start_timeout:g} s.")
    settings = {"coalesce_streams": True, **settings}
    if not own:
        return _cold(nb_man, kernel_name, settings, limit)
    with kernel.running(variables) as km:
        return _cold(nb_man, kernel_name, {**settings, "km": km}, limit)


def _cold(nb_man: NotebookExecutionManager, name: str, settings: dict[str, Any], limit: float | None) -> None:
    """Run the notebook in a kernel."""
    if limit:
        settings["timeout_func"] = lambda _: limit  # the other way to say it takes whole seconds
    try:
        NBClientEngine.execute_managed_notebook(nb_man, name, **settings)
    except CellTimeoutError:
        stopped(nb_man, overrun(limit))
    except DeadKernelError:
        stopped(nb_man, f"the kernel died{_last_words(settings)}")
    except RuntimeError as error:
        stopped(nb_man, f"the kernel stopped answering ({error}){_last_words(settings)}")


def _last_words(settings: Mapping[str, Any]) -> str:
    km = settings.get("km")
    return km.last_words() if isinstance(km, kernel.Kernel) else "."


def _is_own(kernel_name: str, notebook: NotebookNode) -> bool:
    language: str = notebook.metadata.get("kernelspec", {}).get("language", "python")
    return kernel_name in OF_THIS_INTERPRETER and language.lower() == "python"

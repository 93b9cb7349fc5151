"""One run of a notebook with papermill, from the file to the file."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from papermill.execute import remove_error_markers
from papermill.parameterize import parameterize_notebook

from studylib.errors import ParameterError, StudyError
from studylib.notebooks.engine import NAME, Engine
from studylib.notebooks.run import Stopped
from studylib.records import write_whole

_SILENT = ContextVar("silent", default=False)  # in this thread: others may run papermill for themselves
logging.getLogger("papermill").addFilter(lambda _: not _SILENT.get())
KERNEL = "python3"  # that of this interpreter, whatever the notebook says
LAST_LINES = 8  # of a traceback: the line that raised it, and what it said


def execute(
    source: Path,
    output: Path,
    parameters: Mapping[str, Any],
    cell_timeout: float | None,
    environment: Mapping[str, str],
) -> None:
    """Run the notebook; see `studylib.notebooks.execute`."""
    if source.resolve() == output.resolve():
        raise ParameterError(f"{output}: the outputs would replace the notebook itself. Name another file.")
    notebook, plain = _read(source), _plain(parameters)
    partial = output.with_suffix(".failed.ipynb")
    with _quiet():
        notebook = _with(plain, notebook)
        failure = _run(notebook, cell_timeout, environment)
    if failure:
        write_whole(partial, _settled(notebook))
        raise StudyError(f"{source}: {failure}\nAs far as it came, the notebook is in {partial}.")
    write_whole(output, _settled(notebook))
    partial.unlink(missing_ok=True)


def _with(parameters: dict[str, Any], notebook: NotebookNode) -> NotebookNode:
    """Return the notebook with a cell that sets the parameters, and room for what papermill says of cells."""
    for part in (notebook, *notebook.cells):
        part.metadata.setdefault("papermill", NotebookNode())
    for cell in notebook.cells:
        cell.metadata.setdefault("tags", [])
    if parameters:
        of = {"kernel_name": KERNEL, "language": "python", "engine_name": NAME}
        notebook = parameterize_notebook(notebook, parameters, **of)
    return notebook


def _run(notebook: NotebookNode, cell_timeout: float | None, environment: Mapping[str, str]) -> str:
    """Execute the notebook, as papermill would from here; return where and why it failed, or nothing.

    Papermill itself would turn the notebook into text three times, to write none of them.
    """
    settings = {"execution_timeout": cell_timeout, "environment": environment, "record_timing": False}
    try:
        Engine.execute_notebook(notebook, KERNEL, progress_bar=False, **settings)
    except Stopped as error:
        return str(error)
    return _first_error(notebook)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep papermill's remarks off the terminal: what matters in them is in our errors."""
    before = _SILENT.set(True)
    try:
        yield
    finally:
        _SILENT.reset(before)


def _read(source: Path) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(source, as_version=4)
        nbformat.validate(notebook)
        notebook = nbformat.v4.upgrade(notebook) or notebook  # older ones have cells without ids
        notebook = remove_error_markers(notebook)
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

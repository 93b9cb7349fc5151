"""Run a notebook from top to bottom, and say truthfully how far it came.

Papermill fills in the parameters; its engine here runs the cells in a process forked from a warm one. What
papermill leaves open is settled: a process that dies or a cell that overruns is a failure with a name, the
file is written whole or not at all, nothing of the machine or the clock stays in it, and the same inputs give
the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from studylib import deferred  # noqa: F401  before papermill
from studylib.notebooks.warm import WARM as WARM
from studylib.notebooks.warm import warmed


def execute(
    source: Path,
    output: Path,
    parameters: Mapping[str, Any],
    *,
    cell_timeout: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run the notebook ``source`` with ``parameters`` and write it, with its outputs, to ``output``.

    A run that fails leaves ``output`` as it was; as far as it came, the notebook is written beside it, as
    ``<name>.failed.ipynb``.

    Args:
        source: the notebook; it is not changed.
        output: where the executed notebook goes; its folder is made.
        parameters: values for the notebook's parameters cell, of the kinds that JSON has.
        cell_timeout: seconds that one cell may take; None sets no limit.
        environment: variables of the process that runs the cells, beside those of this one.

    Raises:
        ParameterError: no such notebook, the same file twice, or a parameter that JSON cannot hold.
        StudyError: a cell raised an error or took too long, or the process died: in which cell, and why.
    """
    _start_server(source)
    # with papermill, which takes half a second to import; `WARM` is read without it
    from studylib.notebooks import execution

    execution.execute(source, output, parameters, cell_timeout, environment or {})


@cache
def _start_server(source: Path) -> None:
    """Let the server that ``source`` is forked from import what it needs, while we import papermill."""
    from studylib.notebooks import fork, imports

    with suppress(OSError, ValueError, TypeError, KeyError):  # no notebook, which is told later
        cells = json.loads(source.read_text(encoding="utf-8"))["cells"]
        names = imports.imported("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        if not imports.needs_a_client(names):
            fork.start(warmed(names))

"""Notebooks are run in a process of their own, and what is said of the run is true."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import nbformat
import numpy as np
import psutil
import pytest

from studylib.errors import ParameterError, StudyError
from studylib.notebooks import execute

if TYPE_CHECKING:
    from pathlib import Path

PARAMETERS = 'seeds: int = 3\nlearning_rate = 1e-3\nname = "digits"\narms = {"none": {}}'


def write(path: Path, **cells: str) -> Path:
    """Write a notebook of code cells by id, after a title and a parameters cell."""
    first = nbformat.v4.new_code_cell(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]})
    code = [nbformat.v4.new_code_cell(source, id=name.replace("_", "-")) for name, source in cells.items()]
    title = nbformat.v4.new_markdown_cell("# A study", id="title")
    nbformat.write(nbformat.v4.new_notebook(cells=[title, first, *code]), path)
    return path


def printed(path: Path) -> str:
    """Return everything that the cells of an executed notebook printed."""
    cells = json.loads(path.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "".join("".join(output.get("text", "")) for output in outputs)


def statuses(path: Path) -> dict[str, str]:
    """Return what an executed notebook says of each cell."""
    return {c["id"]: c["metadata"]["papermill"]["status"] for c in json.loads(path.read_text())["cells"]}


def test_parameters_reach_the_cells_as_they_are(tmp_path: Path) -> None:
    """Numbers, texts, lists and mappings arrive with their types; what is not given keeps its default."""
    source = write(tmp_path / "study.ipynb", show="print(repr((seeds, learning_rate, name, arms)))")
    given = {"seeds": 5, "name": 'it\'s "λ"', "arms": {"l1": {"strength": [0.1, 1e-9]}}}

    execute(source, tmp_path / "out" / "run.ipynb", given)

    assert eval(printed(tmp_path / "out" / "run.ipynb")) == (5, 1e-3, given["name"], given["arms"])  # noqa: S307


def test_two_runs_give_the_same_bytes_and_the_terminal_stays_quiet(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No clock time, random name or path stays in the file, and the machinery says nothing."""
    cells = {"show": "import os; print(os.environ['OMP_NUM_THREADS'])", "say": "{'a', 'b', 'c', 'd'}"}
    source = write(tmp_path / "study.ipynb", **cells)

    for name in ("first.ipynb", "second.ipynb"):
        execute(source, tmp_path / name, {"seeds": 2})

    assert (tmp_path / "first.ipynb").read_bytes() == (tmp_path / "second.ipynb").read_bytes()
    assert str(tmp_path) not in (tmp_path / "first.ipynb").read_text()
    assert printed(tmp_path / "first.ipynb") == "1\n"
    assert capfd.readouterr() == ("", "")


def test_a_failing_cell_is_named_and_the_last_good_notebook_stays(tmp_path: Path) -> None:
    """The error has notebook, cell and the end of the traceback; what ran is kept beside the old file."""
    source = write(tmp_path / "study.ipynb", fine="print('so far')", boom="1 / 0", after="print('never')")
    output = tmp_path / "run.ipynb"
    output.write_text("the last good one")

    with pytest.raises(StudyError) as failure:
        execute(source, output, {})

    partial = tmp_path / "run.failed.ipynb"
    assert "study.ipynb: cell 'boom' raised ZeroDivisionError: division by zero" in str(failure.value)
    assert "----> 1 1 / 0" in str(failure.value)
    assert str(partial) in str(failure.value)
    assert "\x1b" not in str(failure.value)
    assert output.read_text() == "the last good one"
    assert printed(partial) == "so far\n"
    assert (statuses(partial)["boom"], statuses(partial)["after"]) == ("failed", "pending")


def test_a_dead_kernel_is_no_completed_run_and_leaves_no_process(tmp_path: Path) -> None:
    """The cell that killed the kernel is named with the exit code; its child processes end with it."""
    start_child = f"""
import os, subprocess
child = subprocess.Popen(["sleep", "300"])
open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
"""
    source = write(tmp_path / "study.ipynb", fine=start_child, crash="os._exit(7)", after="1")
    output = tmp_path / "run.ipynb"

    with pytest.raises(StudyError, match=r"in cell 'crash' the kernel died: exit code 7"):
        execute(source, output, {})

    child = int((tmp_path / "pid").read_text())
    partial = tmp_path / "run.failed.ipynb"
    assert not output.exists()
    assert (statuses(partial)["fine"], statuses(partial)["crash"], statuses(partial)["after"]) == (
        "completed",
        "failed",
        "pending",
    )
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_cell_that_takes_too_long_is_stopped_and_named(tmp_path: Path) -> None:
    """The limit is per cell; cells after it do not run."""
    source = write(tmp_path / "study.ipynb", sleep="import time; time.sleep(600)", after="print('never')")

    with pytest.raises(StudyError, match=r"in cell 'sleep' the limit of 1 s"):
        execute(source, tmp_path / "run.ipynb", {}, cell_timeout=1)

    assert printed(tmp_path / "run.failed.ipynb") == ""


def test_leaving_the_notebook_early_is_a_failure(tmp_path: Path) -> None:
    """``sys.exit(0)`` in a cell is no success: what follows it has not run."""
    source = write(tmp_path / "study.ipynb", leave="import sys; sys.exit(0)", after="print('never')")
    output = tmp_path / "run.ipynb"

    with pytest.raises(StudyError, match="cell 'leave' raised SystemExit"):
        execute(source, output, {})

    assert not output.exists()


def test_a_good_run_takes_the_failed_one_away(tmp_path: Path) -> None:
    """What is left of an earlier failure would contradict the new notebook."""
    source = write(tmp_path / "study.ipynb", show="print(name)")
    left = tmp_path / "run.failed.ipynb"
    left.write_text("{}")

    execute(source, tmp_path / "run.ipynb", {})

    assert not left.exists()
    assert source.read_text().count('"outputs": []') == 2


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [({"seeds": np.int64(3)}, "int64"), ({"seeds": {1, 2}}, "set"), ({"path": os}, "module")],
)
def test_what_json_cannot_hold_is_refused(tmp_path: Path, parameters: dict[str, Any], complaint: str) -> None:
    """Papermill would write such a value as text, and the study would go on with it."""
    source = write(tmp_path / "study.ipynb")

    with pytest.raises(ParameterError, match=complaint):
        execute(source, tmp_path / "run.ipynb", parameters)


def test_a_notebook_is_not_replaced_by_its_outputs(tmp_path: Path) -> None:
    """The same file as source and output is refused before anything runs."""
    source = write(tmp_path / "study.ipynb")
    before = source.read_bytes()

    with pytest.raises(ParameterError, match="itself"):
        execute(source, tmp_path / "." / "study.ipynb", {})

    assert source.read_bytes() == before


@pytest.mark.parametrize("content", [None, "not a notebook", '{"cells": 3}'])
def test_what_is_no_notebook_is_refused_by_name(tmp_path: Path, content: str | None) -> None:
    """A missing or broken file is told with its path, before a kernel starts."""
    source = tmp_path / "study.ipynb"
    if content is not None:
        source.write_text(content)

    with pytest.raises(ParameterError, match=r"study\.ipynb"):
        execute(source, tmp_path / "run.ipynb", {})

"""Progress: what runs and how much is done, on a terminal, in a log, in a notebook."""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING

import nbformat
from rich.console import Console

from studylib import notebooks
from studylib.executors import Attempt
from studylib.plan import FitSpec
from studylib.progress import showing
from studylib.store import Result

if TYPE_CHECKING:
    from pathlib import Path


def spec(seed: int) -> FitSpec:
    """Return the specification of an imaginary fit."""
    return FitSpec({"name": "digits"}, {"name": "mlp"}, {}, {}, seed, "cpu", "", "", {})


def attempts(count: int) -> list[Attempt]:
    """Return that many fits that begin and end; the first of them dies once in between."""
    died = Attempt(spec(0), 1, Result("killed"), final=False)
    ends = [Attempt(spec(seed), 1, Result("ok"), final=True) for seed in range(count)]
    return [Attempt(spec(0), 1), died, *(step for end in ends for step in (Attempt(end.spec, 1), end))]


def shown(count: int, total: int, *, terminal: bool) -> str:
    """Return what is written for ``count`` of ``total`` fits."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=100)
    with showing(lambda: total, lambda key: {spec(0).key: "vision: [none]"}.get(key, ""), console) as tell:
        for attempt in attempts(count):
            tell(attempt)
            if terminal:
                time.sleep(0.15)  # the bar draws itself ten times a second
    return file.getvalue()


def test_a_log_gets_few_lines_and_the_last_says_all() -> None:
    """Ten for any number of fits; an attempt that is made again is not counted twice."""
    lines = shown(1000, 1000, terminal=False).splitlines()

    assert len(lines) == 10
    assert [line.split(",")[0] for line in lines] == [f"{100 * n} of 1000 fits" for n in range(1, 11)]


def test_a_terminal_names_the_arms_that_run() -> None:
    """As they are written, brackets included; done and total beside them."""
    told = shown(2, 3, terminal=True)

    assert "vision: [none]" in told
    assert "/3" in told


def test_nothing_is_said_of_nothing() -> None:
    """Where every fit is known there is no bar and no line."""
    assert shown(0, 0, terminal=False) == ""
    assert shown(0, 0, terminal=True).strip() == ""


def test_a_notebook_shows_a_bar_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    """The executed notebook is the same whether its fits were computed there or known."""
    body = """
from studylib.progress import showing
from studylib.executors import Attempt
from studylib.plan import FitSpec
from studylib.store import Result
import IPython.display as seen
spec = FitSpec({"name": "digits"}, {"name": "mlp"}, {}, {}, 0, "cpu", "", "", {})
shown = []
real = seen.DisplayHandle.update
seen.DisplayHandle.update = lambda self, what, **more: (shown.append(what.data), real(self, what, **more))
with showing(lambda: 1, lambda key: "") as tell:
    import time; time.sleep(0.3)
    tell(Attempt(spec, 1))
"""
    source = tmp_path / "bar.ipynb"
    cells = [
        nbformat.v4.new_code_cell(body, id="bar"),
        nbformat.v4.new_code_cell("print(shown)", id="seen"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), source)
    notebooks.execute(source, tmp_path / "out.ipynb", {})
    bar, seen = (
        cell["outputs"]
        for cell in json.loads((tmp_path / "out.ipynb").read_text(encoding="utf-8"))["cells"]
        if cell["id"] in {"bar", "seen"}
    )

    assert bar == []
    assert '<progress value="0" max="1"></progress> 0 of 1 fits' in "".join(seen[0]["text"])

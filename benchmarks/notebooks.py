"""Short parameterised runs of one notebook: ours, against papermill in a process pool of the same width.

Each run imports NumPy, pandas and Matplotlib, takes a parameter, shows a small table and draws a figure.
Both ways start from nothing and import their own tools alone: our time has the start of the server, with all
that it imports. The results of the cells are compared, byte for byte. The rounds are interleaved, so that a
slower machine slows both.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from studylib import processes

if TYPE_CHECKING:
    from studylib.speeds import Figure

RUNS, ROUNDS = 64, 2
UNIT = "runs/s"
CELLS = {
    "parameters": "scale = 1.0",
    "imports": "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd",
    "table": "x = np.linspace(0, 1, 20)\ntable = pd.DataFrame({'x': x, 'y': scale * x**2})\ntable.describe()",
    "figure": "_, axes = plt.subplots(figsize=(3, 2))\n"
    "axes.plot(table.x, table.y)\naxes.set_title(f'{scale:g}');",
    "sum": "print(f'{table.y.sum():.6f}')",
}
Way = Callable[[Path, Path], None]


def main() -> list[Figure]:
    """Print runs per second of each, and how many times faster ours is; return the figure."""
    from benchmarks._asked import NOTEBOOKS, POOL
    from benchmarks._figures import figure, told

    os.environ.update(processes.ONE_THREAD | processes.SAME_ORDER)
    ways: dict[str, Way] = {"studylib": _ours, "papermill": _papermill}
    speeds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        with TemporaryDirectory() as scratch:
            source = _written(Path(scratch, "notebook.ipynb"))
            for name, run in ways.items():
                (out := Path(scratch, name)).mkdir()
                start = perf_counter()
                # a process of its own, so that no round finds the server of an earlier one
                driver = multiprocessing.get_context("spawn").Process(target=run, args=(source, out))
                driver.start()
                driver.join()
                speeds[name].append(RUNS / (perf_counter() - start))
            _refuse_differences(*(Path(scratch, name) for name in ways))
    ours, theirs = speeds.values()
    told(NOTEBOOKS, POOL, UNIT, ours, theirs)
    note = f"{processes.cores()} at a time; outputs are equal; each way starts from nothing; seconds of wall."
    return [figure(NOTEBOOKS, POOL, UNIT, ours, theirs, note=note)]


def _written(path: Path) -> Path:
    import nbformat

    code = [nbformat.v4.new_code_cell(source, id=name) for name, source in CELLS.items()]
    code[0].metadata.tags = ["parameters"]
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": spec}), path)
    return path


def _ours(source: Path, out: Path) -> None:
    # threads: the cells have processes, and what drives them may share one
    with ThreadPoolExecutor(processes.cores()) as pool:
        list(pool.map(partial(_execute, source, out), range(RUNS)))


def _execute(source: Path, out: Path, k: int) -> None:
    from studylib import notebooks

    notebooks.execute(source, out / f"{k}.ipynb", {"scale": float(k)})


def _papermill(source: Path, out: Path) -> None:
    with ProcessPoolExecutor(processes.cores(), mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(partial(_execute_notebook, source, out), range(RUNS)))


def _execute_notebook(source: Path, out: Path, k: int) -> None:
    import papermill

    logging.disable()
    papermill.execute_notebook(source, out / f"{k}.ipynb", {"scale": float(k)}, progress_bar=False)


def _refuse_differences(ours: Path, theirs: Path) -> None:
    for k in range(RUNS):
        first, second = (_results(folder / f"{k}.ipynb") for folder in (ours, theirs))
        assert first == second, f"run {k}: {first} is not {second}"


def _results(path: Path) -> list[Any]:
    import nbformat

    cells = nbformat.read(path, as_version=4).cells
    return [(cell.source, cell.get("execution_count"), cell.get("outputs")) for cell in cells]

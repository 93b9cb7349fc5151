"""Benchmark runs make their records from the published files, as small as they can be made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import isfinite
from typing import TYPE_CHECKING, Any

import pytest
from command_line import ROOT
from readable import READABLE

from studylib import compare, runs, sources, study
from studylib.computing import computed
from studylib.contents import Contents
from studylib.params import layered
from studylib.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUITE = "benchmark-"
SEEDS = 2
# what makes a run small, by the name of the setting
SMALL: Mapping[str, Any] = {
    "channels": [4, 8],
    "dimension": 8,
    "epochs": 1,
    "factors": 4,
    "filters": 4,
    "folds": 2,
    "hidden": [8],
    "per_class": 2,
    "points": 2,
    "samples": 2,
    "train": 200,
    "validation": 100,
}
# and of a dataset whose params file says nothing of its rows
FEW: Mapping[str, Mapping[str, Any]] = {
    "banking77": {"per_class": 2, "validation": 100},
    "etth1": {"every": 500},
    "movie_reviews": {"train": 200, "validation": 100},
    "trec": {"train": 200, "validation": 100},
}


def different() -> list[tuple[str, str]]:
    """Return the first run of those that hold the same arms to the same data, and differ in its size."""
    known: dict[tuple[str, ...], tuple[str, str]] = {}
    every = ((name, run) for name in sources.studies() for run in runs.known(name))
    for name, run in every:
        if not run.startswith(SUITE):
            continue
        asked = sources.read_yaml(ROOT / "params" / name / f"{run}.yaml")
        known.setdefault((name, asked["dataset"]["name"], *asked["arms"]), (name, run))
    return list(known.values())


RUNS = different()


def small(asked: Any) -> Any:
    """Return what a params file asks for with few rows and epochs, a small model, and two trials at most."""
    if not isinstance(asked, dict):
        return asked[:2] if isinstance(asked, list) else asked
    less = {key: SMALL[key] if key in SMALL and own else small(own) for key, own in asked.items()}
    less |= FEW.get(str(less.get("name")), {})
    return {**less, "hidden": 8} if less.get("name") == "series_lstm" else less


@pytest.mark.parametrize(("name", "run"), RUNS, ids=[f"{name}/{run}" for name, run in RUNS])
def test_a_benchmark_run_makes_its_record_from_the_files(name: str, run: str, tmp_path: Path) -> None:
    """All its arms are trained on published rows, and held against the first by the metric that decides."""
    asked = sources.read_yaml(ROOT / "params" / name / f"{run}.yaml")
    data = asked["dataset"]["name"]
    if data not in READABLE:
        pytest.skip(f"the files of {data} are not here; set STUDYLIB_DATA, or: studylib data fetch {data}")
    params = layered(name, run, [(run, {**small(asked), "seeds": SEEDS})])
    store = Store(tmp_path)
    with ThreadPoolExecutor(1) as here:
        [one] = study.planned([params], here, Contents(tmp_path))
        todo = study.rounds([one], store)
        unkept = computed(todo.begin(), store, here, more=todo.more)
    record = compare.concluded(study.recorded(one, store, unkept))

    assert record.unfinished() == ()
    assert len(record.fits) == SEEDS * len(asked["arms"])
    assert {c.arm for c in record.contrasts} == set(list(asked["arms"])[1:])
    assert all(isfinite(fit.metrics[str(record.params["metric"])]) for fit in record.fits)

"""A study, run: its fits looked up or computed, and written down as a record."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, final

from studylib import executors, plan
from studylib.datasets.base import content_hash
from studylib.params import StudyParams
from studylib.plan import FitSpec
from studylib.records import Fit, Record
from studylib.store import Result, Store

Progress = Callable[[FitSpec, Result], None]


@final
@dataclass(frozen=True)
class Planned:
    """A run with the specification of each of its fits, nothing computed yet.

    Attributes:
        content: sha256 of the dataset's whole content.
        device: "cpu" or "cuda".
    """

    params: StudyParams
    content: str
    device: str
    specs: dict[tuple[str, int], FitSpec]


def planned(runs: Sequence[StudyParams], executor: Executor) -> list[Planned]:
    """Return the plan of each run; this reads their datasets, and builds those that are not built yet.

    Raises:
        ParameterError: a run asks for a device that there is not.
    """
    devices = executor.map(executors.device_class, [params.device for params in runs])
    contents = executor.map(content_hash, [params.dataset for params in runs])
    return [
        Planned(params, content, device, plan.plan(params, content, device))
        for params, content, device in zip(runs, contents, devices, strict=True)
    ]


def missing(plans: Iterable[Planned], store: Store) -> list[FitSpec]:
    """Return what is not in the store yet, each specification once, over all ``plans``."""
    wanted = {spec.key: spec for one in plans for spec in one.specs.values()}
    return [spec for spec in wanted.values() if store.get(spec) is None]


def run_study(params: StudyParams, store: Store | None = None, progress: Progress | None = None) -> Record:
    """Return the record of a run; fits that the store does not know are computed on all cores.

    Raises:
        ParameterError: the store cannot be written to, or there is no such device; nothing was computed.
        StudyError: the dataset cannot be built.
    """
    store = store or Store()
    store.refuse_unwritable()
    with ThreadPoolExecutor(1) as here:
        [one] = planned([params], here)
    todo = missing([one], store)
    if not todo:  # as in a notebook that a report runs: a pool would cost more than all the rest
        return recorded(one, store, {})
    with executors.local() as pool:
        return recorded(one, store, computed(todo, store, pool, progress))


def computed(
    specs: Iterable[FitSpec], store: Store, executor: Executor, progress: Progress | None = None
) -> dict[str, Result]:
    """Compute ``specs`` into the store; return by key the results that it does not keep (failed, killed)."""
    unkept = {}
    for spec, result in executors.compute(specs, executor):
        store.put(spec, result)
        if result.status in {"failed", "killed"}:
            unkept[spec.key] = result
        if progress:
            progress(spec, result)
    return unkept


def recorded(one: Planned, store: Store, unkept: dict[str, Result]) -> Record:
    """Return the record of a planned run whose fits are computed."""
    params = one.params
    fits = tuple(
        _fit(arm, seed, store.get(spec) or unkept.get(spec.key) or Result("failed", "was not computed"))
        for (arm, seed), spec in one.specs.items()
    )
    asked = {**params.to_dict(), "device": one.device}  # the numbers are that device's, whatever "auto" means
    return Record(params.study, params.run, asked, _facts(one), fits, _versions())


def seconds(one: Planned, store: Store) -> float:
    """Return the sum of the pure training seconds of a run's fits, whenever they were computed."""
    return sum(result.seconds for spec in one.specs.values() if (result := store.get(spec)))


def _fit(arm: str, seed: int, result: Result) -> Fit:
    return Fit(arm, seed, result.status, result.metrics, result.curves, result.reason)


def _facts(one: Planned) -> dict[str, Any]:
    dataset = one.params.dataset
    split = dataset.split(0)
    rows = {"train": len(split.train), "validation": len(split.validation), "test": len(split.test)}
    return {
        "name": dataset.name,
        "sha256": one.content,
        "rows": sum(rows.values()),
        "split": rows,
        "inputs": list(split.inputs),
        "outputs": split.outputs,
        "classes": list(dataset.classes()),
        "task": dataset.task,
        "unit": dataset.unit,
        **dataset.words(),
    }


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "studylib": version("studylib"), **plan.versions()}

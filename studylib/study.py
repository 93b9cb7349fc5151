"""A study, run: its fits looked up or computed, and written down as a record."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

from studylib import agreement, executors, locks, places, plan, pool
from studylib.arms import Arm, described
from studylib.computing import Progress, computed
from studylib.contents import Content, Contents, look
from studylib.errors import StudyError
from studylib.params import StudyParams
from studylib.plan import FitSpec
from studylib.progress import showing
from studylib.records import Fit, Record
from studylib.searches import LOST, Known, Rounds, Search, of_one_fit, searches
from studylib.secrets import masked
from studylib.store import Result, Store
from studylib.trainers.fitting import SCORES
from studylib.trainers.precision import refuse_unknown

RECORD = places.RECORD


@final
@dataclass(frozen=True)
class Planned:
    """A run with the specification of each of its fits, nothing computed yet.

    Attributes:
        device: "cpu" or "cuda".
        specs: by arm and seed, of those that take one fit.
        searches: by arm and seed, of those that take a fit for each trial.
    """

    params: StudyParams
    content: Content
    device: str
    specs: dict[tuple[str, int], FitSpec]
    searches: dict[tuple[str, int], Search] = field(default_factory=dict)

    @property
    def asked(self) -> dict[str, Any]:
        """Every parameter, secrets masked; the numbers are this device's, whatever "auto" means."""
        return {**masked(self.params.to_dict()), "device": self.device}

    @property
    def labels(self) -> dict[str, str]:
        """Study and arm of each fit that is known of so far, by its key."""
        return {key: f"{self.params.study}: {arm}" for (arm, _), key in self._named()}

    @property
    def keys(self) -> set[str]:
        """The key of each fit that is known of so far."""
        return {key for _, key in self._named()}

    @property
    def ahead(self) -> int:
        """How many fits there will be besides, at most."""
        return sum(search.ahead for search in self.searches.values())

    @property
    def codes(self) -> list[str]:
        """Hashes of the code that decides numbers."""
        own = {spec.code for spec in self.specs.values()}
        return sorted(own.union(*(search.codes for search in self.searches.values())))

    def _named(self) -> Iterator[tuple[tuple[str, int], str]]:
        yield from ((pair, spec.key) for pair, spec in self.specs.items())
        yield from ((pair, key) for pair, search in self.searches.items() for key in search.named)


def planned(
    runs: Sequence[StudyParams], executor: Executor, contents: Contents, readers: Executor | None = None
) -> list[Planned]:
    """Return the plan of each run.

    Args:
        runs: what is asked for.
        executor: who will train, and says on which device.
        contents: what datasets are known to hold.
        readers: who reads those that are not known, on this machine; ``executor`` if not given.

    Raises:
        ParameterError: a run asks for a device that there is not, or for a precision that it does not know.
        StudyError: a dataset cannot be built.
    """
    known = [contents.get(run.dataset) for run in runs]
    unknown = [run.dataset for run, content in zip(runs, known, strict=True) if content is None]
    looked = (readers or executor).map(look, unknown)
    asked = sorted({run.device for run in runs} - {"cpu"})  # to ask for the others costs an import of torch
    devices = {"cpu": "cpu", **dict(zip(asked, executor.map(executors.device_class, asked), strict=True))}
    short = {devices[run.device] for run in runs for arm in run.arms if arm.training.precision == "bf16"}
    list(executor.map(partial(refuse_unknown, "bf16"), sorted(short)))  # an error comes when it is asked for
    plans = []
    for run, found in zip(runs, known, strict=True):
        content = found or _looked(run, looked)
        if content is not found:
            contents.put(run.dataset, content)
        specs = plan.plan(run, content.sha256, devices[run.device])
        searched = searches(run, content.sha256, devices[run.device])
        plans.append(Planned(run, content, devices[run.device], specs, searched))
    return plans


def _looked(run: StudyParams, looked: Iterator[Content]) -> Content:
    try:
        return next(looked)
    except BrokenExecutor as error:
        raise StudyError(f"dataset {run.dataset.name!r}: could not be read: {error}.") from None


def labels(plans: Sequence[Planned]) -> Callable[[str], str]:
    """Return what says study and arm of a fit by its key, also of those that get a name later."""
    known: dict[str, str] = {}

    def label(key: str) -> str:
        if key not in known:
            known.update({k: said for one in plans for k, said in one.labels.items()})
        return known.get(key, "")

    return label


def rounds(plans: Iterable[Planned], store: Store) -> Rounds:
    """Return in which order the fits of all ``plans`` are computed, as far as they are not in the store."""
    plans = list(plans)
    fixed = {spec.key: spec for one in plans for spec in one.specs.values()}
    return Rounds(fixed, [search for one in plans for search in one.searches.values()], store)


def run_study(params: StudyParams, store: Store | None = None, progress: Progress | None = None) -> Record:
    """Return the record of a run; fits that the store does not know are computed on all cores.

    In a notebook that a report executes, it is the record that the report has made.

    Raises:
        ParameterError: the store cannot be written to, or there is no such device; nothing was computed.
        StudyError: the dataset cannot be built.
    """
    made = _made(params)
    if made:
        return made
    store = store or Store()
    store.refuse_unwritable()
    with locks.shared(store.folder.parent), pool.local() as workers:
        [one] = planned([params], workers, Contents(store.folder.parent))
        todo = rounds([one], store)
        specs = todo.begin()
        with showing(lambda: todo.total, labels([one])) as shown:
            unkept = computed(specs, store, workers, progress or shown, todo.more)
        return recorded(one, store, unkept)


def recorded(one: Planned, store: Store, unkept: dict[str, Result]) -> Record:
    """Return the record of a planned run whose fits are computed."""
    params = one.params
    pairs = [(arm, seed) for arm in params.arms for seed in range(params.seeds)]
    known = _known(store, unkept)
    results = {(arm.name, seed): _result(one, arm.name, seed, known) for arm, seed in pairs}
    fits = tuple(_fit(one, arm, seed, results[arm.name, seed]) for arm, seed in pairs)
    machines = sorted({found.machine for found in results.values() if found.machine})
    return Record(params.study, params.run, one.asked, _facts(one), fits, _versions(machines, one))


def _known(store: Store, unkept: dict[str, Result]) -> Known:
    return lambda spec: store.get(spec) or unkept.get(spec.key)


def _result(one: Planned, arm: str, seed: int, known: Known) -> Result:
    if (arm, seed) in one.specs:
        return known(one.specs[arm, seed]) or LOST
    search = one.searches[arm, seed]
    search.advance(known)
    return (known(search.chosen) or LOST) if search.chosen else search.lost


def _fit(one: Planned, arm: Arm, seed: int, result: Result) -> Fit:
    """Return a fit as it is recorded: with what was tried before it, and what of that was chosen."""
    curves = {name: curve for name, curve in result.curves.items() if name != SCORES}
    found = Fit(arm.name, seed, result.status, result.metrics, curves, result.reason)
    if (arm.name, seed) in one.specs:
        trials = of_one_fit(arm, result.curves[SCORES]) if SCORES in result.curves else ()
        return replace(found, key=one.specs[arm.name, seed].key, trials=trials)
    search = one.searches[arm.name, seed]
    key = search.chosen.key if search.chosen else ""
    metrics = {**result.metrics, **search.taken()} if search.chosen else result.metrics
    return replace(found, metrics=metrics, key=key, trials=tuple(search.trials))


def seconds(one: Planned, store: Store) -> float:
    """Return the sum of the pure training seconds of a run's fits, whenever they were computed."""
    return sum(store.seconds(key) for key in one.keys)


def _made(params: StudyParams) -> Record | None:
    """Return the record that a report has made of this very run, None without one."""
    path = os.environ.get(RECORD)
    if not path:
        return None
    record = Record.load(Path(path))
    asked = json.loads(json.dumps(masked(params.to_dict())))
    same = {**record.params, "device": None} == {**asked, "device": None}
    in_order = record.arms == tuple(asked["arms"])  # the first is the baseline
    return record if record.study == params.study and same and in_order else None


def _facts(one: Planned) -> dict[str, Any]:
    dataset = one.params.dataset
    return {
        "name": dataset.name,
        "sha256": one.content.sha256,
        **one.content.facts,
        "task": dataset.task,
        "unit": dataset.unit,
        **described(dataset, one.params.arms),
        **({"decides": list(one.params.by_dataset)} if one.params.by_dataset else {}),
    }


def _versions(machines: Sequence[str], one: Planned) -> dict[str, str]:
    own = {"python": platform.python_version(), "studylib": version("studylib")}
    proposing = {"optuna": version("optuna")} if one.params.tuning.method == "tpe" else {}
    where = {"machine": "; ".join(machines), **agreement.stated(one.device)}
    return own | plan.versions() | proposing | where

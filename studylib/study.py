"""A study, run: its fits looked up or computed, and written down as a record."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

from studylib import executors, locks, plan, pool
from studylib.contents import Content, Contents, look
from studylib.errors import StudyError
from studylib.executors import Attempt
from studylib.ledger import Ledger, Row, row
from studylib.params import StudyParams
from studylib.plan import FitSpec
from studylib.progress import showing
from studylib.records import Fit, Record
from studylib.secrets import Secrets, masked
from studylib.store import Result, Store

RECORD = "STUDYLIB_RECORD"  # names its record to a notebook that is executed to show it
LOST = Result("failed", "was not computed")

Progress = Callable[[Attempt], None]


@final
@dataclass(frozen=True)
class Planned:
    """A run with the specification of each of its fits, nothing computed yet.

    Attributes:
        device: "cpu" or "cuda".
        specs: by arm and seed.
    """

    params: StudyParams
    content: Content
    device: str
    specs: dict[tuple[str, int], FitSpec]

    @property
    def asked(self) -> dict[str, Any]:
        """Every parameter, secrets masked; the numbers are this device's, whatever "auto" means."""
        return {**masked(self.params.to_dict()), "device": self.device}

    @property
    def labels(self) -> dict[str, str]:
        """Study and arm of each fit, by its key."""
        return {spec.key: f"{self.params.study}: {arm}" for (arm, _), spec in self.specs.items()}


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
        ParameterError: a run asks for a device that there is not.
        StudyError: a dataset cannot be built.
    """
    known = [contents.get(run.dataset) for run in runs]
    unknown = [run.dataset for run, content in zip(runs, known, strict=True) if content is None]
    looked = (readers or executor).map(look, unknown)
    asked = sorted({run.device for run in runs} - {"cpu"})  # to ask for the others costs an import of torch
    devices = {"cpu": "cpu", **dict(zip(asked, executor.map(executors.device_class, asked), strict=True))}
    plans = []
    for run, found in zip(runs, known, strict=True):
        content = found or _looked(run, looked)
        if content is not found:
            contents.put(run.dataset, content)
        specs = plan.plan(run, content.sha256, devices[run.device])
        plans.append(Planned(run, content, devices[run.device], specs))
    return plans


def _looked(run: StudyParams, looked: Iterator[Content]) -> Content:
    try:
        return next(looked)
    except BrokenExecutor as error:
        raise StudyError(f"dataset {run.dataset.name!r}: could not be read: {error}.") from None


def missing(plans: Iterable[Planned], store: Store) -> list[FitSpec]:
    """Return what is not in the store yet, each specification once, over all ``plans``."""
    wanted = {spec.key: spec for one in plans for spec in one.specs.values()}
    return [spec for spec in wanted.values() if spec not in store]


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
        todo = missing([one], store)
        with showing(len(todo), one.labels) as shown:
            return recorded(one, store, computed(todo, store, workers, progress or shown))


def computed(
    specs: Sequence[FitSpec], store: Store, executor: Executor, progress: Progress | None = None
) -> dict[str, Result]:
    """Compute ``specs`` into the store; return by key the results that it does not keep.

    Those are what failed, timed out or was killed. The ledger gets a row for each step of each attempt.
    """
    ledger = Ledger(store.folder.parent)
    left = {spec.key: (spec, 1) for spec in specs}
    ledger.append(row(spec, "queued") for spec in specs)
    unkept = {}
    try:
        for attempt in map(_scrubbed, executors.compute(specs, executor)):
            spec, result = attempt.spec, attempt.result
            if result and attempt.final:
                plan.refuse_edited(spec)
                store.put(spec, result)
                unkept.update({} if result.status in {"ok", "diverged"} else {spec.key: result})
                del left[spec.key]
            ledger.append([_row(attempt)])
            left.update({} if attempt.final else {spec.key: (spec, attempt.number)})
            if progress:
                progress(attempt)
    except BaseException:
        with suppress(OSError):  # the disk may be full: that is told by who raised it
            ledger.append(row(spec, "interrupted", attempt=number) for spec, number in left.values())
        raise
    return unkept


def _scrubbed(attempt: Attempt) -> Attempt:
    """Return an attempt whose reason shows no secret: what a server says of a wrong token may quote it."""
    if not (attempt.result and attempt.result.reason):
        return attempt
    secrets = Secrets.among({name: getattr(attempt.spec, name) for name in ("dataset", "model", "training")})
    return replace(attempt, result=replace(attempt.result, reason=secrets.scrubbed(attempt.result.reason)))


def _row(attempt: Attempt) -> Row:
    result = attempt.result
    if result is None:
        return row(attempt.spec, "running", attempt=attempt.number)
    return row(
        attempt.spec,
        result.status,
        attempt=attempt.number,
        reason=result.reason,
        host=result.host or platform.node(),
        seconds=result.seconds,
        peak_mb=result.peak_mb,
    )


def recorded(one: Planned, store: Store, unkept: dict[str, Result]) -> Record:
    """Return the record of a planned run whose fits are computed."""
    params = one.params
    results = {pair: store.get(spec) or unkept.get(spec.key, LOST) for pair, spec in one.specs.items()}
    fits = tuple(
        Fit(arm, seed, found.status, found.metrics, found.curves, found.reason, one.specs[arm, seed].key)
        for (arm, seed), found in results.items()
    )
    machines = sorted({found.machine for found in results.values() if found.machine})
    return Record(params.study, params.run, one.asked, _facts(one), fits, _versions(machines))


def seconds(one: Planned, store: Store) -> float:
    """Return the sum of the pure training seconds of a run's fits, whenever they were computed."""
    return sum(result.seconds for spec in one.specs.values() if (result := store.get(spec)))


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
        **dataset.words(),
        **({"decides": list(one.params.by_dataset)} if one.params.by_dataset else {}),
    }


def _versions(machines: Sequence[str]) -> dict[str, str]:
    own = {"python": platform.python_version(), "studylib": version("studylib")}
    return own | plan.versions() | {"machine": "; ".join(machines)}

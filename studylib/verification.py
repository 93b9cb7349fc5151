"""Is a record true? Some of its fits are computed again, away from the store, and all conclusions."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from studylib import compare, executors, plan, pool, study
from studylib.contents import Contents
from studylib.errors import ParameterError
from studylib.params import layered
from studylib.records import Fit, Record
from studylib.store import Result
from studylib.study import Planned

Pair = tuple[str, int]


def verified(
    paths: Sequence[Path], sample: int, workers: int | None, announce: Callable[[str], None]
) -> list[str]:
    """Compute ``sample`` fits of each record again; return a line for everything that differs.

    Equal means equal to the last bit: a fit is a pure function of its specification on one machine.

    Raises:
        ParameterError: no record, or one whose parameters this version does not take.
    """
    if not paths:
        raise ParameterError("reports: no record to verify. Make some with: make report")
    records = [Record.load(path) for path in paths]
    asked = [
        layered(record.study, record.run, [(str(path), record.params)])
        for path, record in zip(paths, records, strict=True)
    ]
    differences: list[str] = []
    with TemporaryDirectory() as nothing_known, pool.local(workers) as executor:
        plans = study.planned(asked, executor, Contents(Path(nothing_known)))
        for path, record, one in zip(paths, records, plans, strict=True):
            drawn = _drawn(record, one, sample)
            found = [*_misfits(record, one), *_computed_again(drawn, one, executor), *_conclusions(record)]
            likely_why = _other_versions(record) if found else []
            differences += [f"{path}: {line}" for line in (*found, *likely_why)]
            announce(
                f"{path}: {len(drawn)} of {len(record.fits)} fits computed again, {len(found)} differences"
            )
    return differences


def _drawn(record: Record, one: Planned, sample: int) -> dict[Pair, Fit]:
    kept = {(fit.arm, fit.seed): fit for fit in record.fits if fit.status in {"ok", "diverged"}}
    pairs = sorted(kept.keys() & one.specs.keys())
    # which fits are drawn follows from all numbers of the record: a failure can be looked at again, and who
    # changes a number cannot know whether it will be
    drawn = random.Random(repr(record.fits)).sample(pairs, min(sample, len(pairs)))  # noqa: S311  # no secret
    return {pair: kept[pair] for pair in drawn}


def _misfits(record: Record, one: Planned) -> Iterator[str]:
    """Yield how data and fits of the record are not those that its parameters ask for here."""
    yield from _changes("dataset", {"sha256": record.dataset["sha256"]}, {"sha256": one.content})
    recorded = {(fit.arm, fit.seed) for fit in record.fits}
    yield from (f"{arm}, seed {seed}: is missing" for arm, seed in sorted(one.specs.keys() - recorded))
    yield from (f"{arm}, seed {seed}: was not asked for" for arm, seed in sorted(recorded - one.specs.keys()))


def _computed_again(drawn: Mapping[Pair, Fit], one: Planned, pool: Executor) -> Iterator[str]:
    attempts = executors.compute([one.specs[pair] for pair in drawn], pool)
    results = {attempt.spec.key: attempt.result for attempt in attempts if attempt.final and attempt.result}
    for pair, fit in drawn.items():
        yield from _differences(fit, results[one.specs[pair].key])


def _conclusions(record: Record) -> Iterator[str]:
    """Yield what does not follow from the fits as they stand in the record."""
    again = compare.concluded(record)
    before, after = ({c.arm: asdict(c) for c in which.contrasts} for which in (record, again))
    for arm in {**before, **after}:
        yield from _changes(f"contrast of {arm}", before.get(arm, {}), after.get(arm, {}))
    yield from _changes("the record", {"headline": record.headline}, {"headline": again.headline})


def _other_versions(record: Record) -> list[str]:
    own = {package: record.versions.get(package) for package in plan.versions()}
    return list(_changes("versions", own, plan.versions()))


def _changes(where: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*before, *after}):
        was, is_ = (repr(which.get(name)) for which in (before, after))  # as text, nan is equal to nan
        if was != is_:
            yield f"{where}: {name} was {was}, is {is_}"


def _differences(fit: Fit, result: Result) -> Iterator[str]:
    where = f"{fit.arm}, seed {fit.seed}"
    if fit.status != result.status:
        yield f"{where}: status was {fit.status}, is {result.status} ({result.reason})"
    yield from _changes(where, fit.metrics, result.metrics)
    for name in sorted({*fit.curves, *result.curves}):
        if repr(fit.curves.get(name)) != repr(result.curves.get(name)):
            yield f"{where}: the curve {name} differs"

"""Is a record true? Some fits are computed again, away from the store, and every number is compared."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from studylib import executors, study
from studylib.errors import ParameterError
from studylib.params import layered
from studylib.records import Fit, Record
from studylib.store import Result


def verified(
    paths: Sequence[Path], sample: int, workers: int | None, announce: Callable[[str], None]
) -> list[str]:
    """Compute ``sample`` fits of each record again; return a line for every number that differs.

    Equal means equal to the last bit: a fit is a pure function of its specification on one machine.

    Raises:
        ParameterError: no record, or one whose parameters this version does not take.
    """
    if not paths:
        raise ParameterError("reports: no record to verify. Make some with: make report")
    differences: list[str] = []
    with executors.local(workers) as pool:
        for path in paths:
            record = Record.load(path)
            params = layered(record.study, record.run, [(str(path), record.params)])
            [one] = study.planned([params], pool)
            kept = {(fit.arm, fit.seed): fit for fit in record.fits if fit.status in {"ok", "diverged"}}
            # which fits are drawn follows from the record, so that a failure can be looked at again
            drawn = random.Random(record.run).sample(sorted(kept), min(sample, len(kept)))  # noqa: S311
            chosen = {one.specs[pair].key: pair for pair in drawn if pair in one.specs}
            found = [
                line
                for spec, result in executors.compute([one.specs[pair] for pair in chosen.values()], pool)
                for line in _differences(kept[chosen[spec.key]], result)
            ]
            differences += [f"{path}: {line}" for line in found]
            announce(f"{path}: {len(chosen)} of {len(record.fits)} fits computed again, {len(found)} numbers differ")
    return differences


def _differences(fit: Fit, result: Result) -> Iterator[str]:
    where = f"{fit.arm}, seed {fit.seed}"
    if fit.status != result.status:
        yield f"{where}: status was {fit.status}, is {result.status} ({result.reason})"
    for name in sorted({*fit.metrics, *result.metrics}):
        before, after = fit.metrics.get(name), result.metrics.get(name)
        if before != after:
            yield f"{where}: {name} was {before!r}, is {after!r}"
    for name in sorted({*fit.curves, *result.curves}):
        if list(fit.curves.get(name, [])) != list(result.curves.get(name, [])):
            yield f"{where}: the curve {name} differs"

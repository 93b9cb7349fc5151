"""Do the fits of a record come out the same again, and do its conclusions follow from them?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from studylib import compare
from studylib.checks import tolerances
from studylib.checks.differences import Difference, changes
from studylib.records import Fit, Record
from studylib.store import Result
from studylib.study import Planned
from studylib.trainers.fitting import SCORES


def misfits(record: Record, one: Planned) -> Iterator[Difference]:
    """Yield how data and fits of the record are not those that its parameters ask for here."""
    yield from changes("dataset", {"sha256": record.dataset.get("sha256")}, {"sha256": one.content.sha256})
    recorded = Counter((fit.arm, fit.seed) for fit in record.fits)
    asked = one.specs.keys() | one.searches.keys()
    for arm, seed in sorted(asked - recorded.keys()):
        yield Difference(f"{arm}, seed {seed}", "the fit", "missing", "asked for")
    for arm, seed in sorted(recorded.keys() - asked):
        yield Difference(f"{arm}, seed {seed}", "the fit", "there", "not asked for")
    for (arm, seed), count in recorded.items():
        if count > 1:
            yield Difference(f"{arm}, seed {seed}", "the fit", f"{count} times", "once")


def fit_differences(fit: Fit, result: Result, bound: tolerances.Bound) -> Iterator[Difference]:
    """Yield what differs between a fit as it was written down and the result of the same fit here."""
    where = f"{fit.arm}, seed {fit.seed}"
    if fit.status != result.status:
        yield Difference(where, "status", fit.status, f"{result.status} {result.reason}".strip())
    yield from bound.changes(where, fit.metrics, result.metrics)
    curves = {name: curve for name, curve in result.curves.items() if name != SCORES}
    yield from bound.changes(where, fit.curves, curves)


def conclusions(record: Record, other: Sequence[str]) -> Iterator[Difference]:
    """Yield what does not follow from the fits as they stand in the record.

    It is arithmetic without training: with ``other`` versions it may be off by what is solved exactly.
    """
    again = compare.concluded(record)
    bound = tolerances.Bound(tolerances.EXACT, tolerances.EXACT) if other else tolerances.Bound()
    before, after = (_contrasts(which) for which in (record, again))
    for key in {**before, **after}:
        yield from bound.changes(f"contrast of {key}", before.get(key, {}), after.get(key, {}))
    yield from changes("the record", {"headline": record.headline}, {"headline": again.headline})


def _contrasts(record: Record) -> Mapping[str, Mapping[str, object]]:
    return {one.arm: asdict(one) for one in record.contrasts}

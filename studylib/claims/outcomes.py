"""Is a published number reproduced? One rule for all of them.

Ours is the mean m over n seeds, with half width h = t·s/√n of its 95 % Student-t interval; theirs is v.
The two agree if |m − v| is at most

    √(h²·(1 + n/k) + (1.96·u)²) + r

- r is half a unit of the last digit that the source prints.
- u is the standard error that the source gives. Then k is infinite: it covers the luck of their seeds too.
- Without one, theirs is the mean of k runs that scatter as ours do (k is 1 where the source does not say),
  and on a fixed test set of N rows u is the binomial error of a share v, √(p·(1 − p)/(N + 4)) with
  p = (v·N + 2)/(N + 4), after Agresti and Coull (1998); else 0.

Of a published range the nearer end counts, and none if m lies inside. Then the verdict is

- ``reproduced``: the two agree;
- ``better than published``: they do not, and ours is on the better side;
- ``not reproduced``: they do not, and ours is on the worse side;
- ``not comparable``: the source measured something else; or fewer than two seeds of ours finished; or h is
  above both 10 % of v and 3·u, so that nearly anything would agree; or a quick run, which trains less than
  the protocol asks, falls short;
- ``not run yet``: no record of ours holds it.

Where all seeds give the same number, h is 0. What follows from the data alone, as a path of solutions does,
is computed at once, and reproduced if it prints the same.

Source: Agresti and Coull (1998), https://doi.org/10.1080/00031305.1998.10480550
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any, Literal, final

from studylib.claims.base import Claim
from studylib.metrics import metric_of
from studylib.records import Record
from studylib.statistics import FEWEST_PAIRS, Interval, paired_interval

Verdict = Literal["reproduced", "better than published", "not reproduced", "not comparable", "not run yet"]
SUITES = ("benchmark", "quick")  # whose records count, the better first
NORMAL = 1.96
WIDEST = 0.1  # of the published value
WIDEST_ERRORS = 3


@final
@dataclass(frozen=True)
class Outcome:
    """A published number beside ours.

    Attributes:
        record: that ours is from; None if there is none.
        ours: mean over seeds with its 95 % interval; None without a finished seed.
        seeds: how many finished.
        tolerance: how far the two may lie apart; None where they are not compared.
        text: ours, where it is computed and no mean.
        why: the reason of the verdict, in words.
    """

    claim: Claim
    verdict: Verdict
    why: str
    record: Record | None = None
    ours: Interval | None = None
    seeds: int = 0
    tolerance: float | None = None
    text: str = ""


def outcome(claim: Claim, records: Iterable[Record]) -> Outcome:
    """Return what became of a published number, by the rule above."""
    if claim.computed:
        return _computed(claim, claim.computed())
    record = _record(claim, records)
    if record is None:
        why = claim.incomparable or "no run of the suite has been made"
        return Outcome(claim, "not comparable" if claim.incomparable else "not run yet", why)
    values = _values(claim, record)
    ours = paired_interval(values) if values else None
    found = (record, ours, len(values))
    if claim.incomparable:
        return Outcome(claim, "not comparable", claim.incomparable, *found)
    if ours is None or len(values) < FEWEST_PAIRS:
        return Outcome(claim, "not comparable", "fewer than two seeds of ours finished", *found)
    return _judged(claim, record, ours, len(values))


def _computed(claim: Claim, text: str) -> Outcome:
    if text == claim.printed:
        return Outcome(claim, "reproduced", "the same to the last printed digit", text=text)
    return Outcome(claim, "not reproduced", "what is computed here prints otherwise", text=text)


def _judged(claim: Claim, record: Record, ours: Interval, seeds: int) -> Outcome:
    reach, error = ours.high - ours.mean, _error(claim)
    if reach > max(WIDEST * abs(claim.value), WIDEST_ERRORS * error):
        why = "our interval is so wide that nearly any number would agree: more seeds are needed"
        return Outcome(claim, "not comparable", why, record, ours, seeds)
    luck = 0.0 if claim.se is not None else seeds / claim.runs
    tolerance = sqrt(reach**2 * (1 + luck) + (NORMAL * error) ** 2) + claim.rounding
    away = _away(claim, ours.mean)
    verdict, why = _said(claim, record, away, tolerance)
    return Outcome(claim, verdict, why, record, ours, seeds, tolerance)


def _said(claim: Claim, record: Record, away: float, tolerance: float) -> tuple[Verdict, str]:
    metric, unit = metric_of(claim.metric), str(record.dataset.get("unit", ""))
    apart, allowed = (metric.size(size, size, unit) for size in (away, tolerance))
    # what is at the bound differs by the last bits of a sum
    if abs(away) <= tolerance * (1 + 1e-9):
        return "reproduced", f"{apart} apart, and up to {allowed} is within what both leave open"
    beyond = f"by {apart}, where {allowed} would be within what both leave open"
    if (away > 0) == metric.higher_is_better:
        return "better than published", f"ours is better {beyond}"
    if _quick(record):
        return "not comparable", f"the quick run trains less than the protocol asks, and is worse {beyond}"
    return "not reproduced", f"ours is worse {beyond}"


def _away(claim: Claim, mean: float) -> float:
    """Return how far ours is from theirs, with its sign; 0 inside of a published range."""
    ends = sorted([claim.value, claim.value if claim.upto is None else claim.upto])
    return mean - min(max(mean, ends[0]), ends[1])


def _error(claim: Claim) -> float:
    if claim.se is not None:
        return claim.se
    share = 0 <= claim.value <= 1 and metric_of(claim.metric).unit == "points"
    if not (claim.test_rows and share):
        return 0.0
    rows = claim.test_rows + 4
    middle = (claim.value * claim.test_rows + 2) / rows
    return sqrt(middle * (1 - middle) / rows)


def _values(claim: Claim, record: Record) -> list[float]:
    """Return ours, one per seed: of the arm, or the difference of two arms of one seed."""
    own = _by_seed(record, claim.arm, claim.metric)
    if not claim.against:
        return list(own.values())
    other = _by_seed(record, claim.against, claim.metric)
    return [value - other[seed] for seed, value in own.items() if seed in other]


def _by_seed(record: Record, arm: str, metric: str) -> Mapping[int, float]:
    found = {fit.seed: fit.metrics.get(metric) for fit in record.finished(arm)}
    return {seed: value for seed, value in found.items() if value is not None and isfinite(value)}


def _record(claim: Claim, records: Iterable[Record]) -> Record | None:
    """Return the record that a claim is held against: of the better suite, and there the first by name."""
    fitting = [one for one in records if _fits(claim, one)]
    return min(fitting, key=lambda one: (SUITES.index(_suite(one)), one.run), default=None)


def _fits(claim: Claim, record: Record) -> bool:
    dataset: Mapping[str, Any] = record.params.get("dataset", {})
    arms: Sequence[str] = [claim.arm, *([claim.against] if claim.against else [])]
    return (
        (record.study, dataset.get("name")) == (claim.study, claim.dataset)
        and _suite(record) in SUITES
        and all(dataset.get(key) == value for key, value in claim.settings.items())
        and all(arm in record.arms for arm in arms)
    )


def _suite(record: Record) -> str:
    return record.run.partition("-")[0]


def _quick(record: Record) -> bool:
    return _suite(record) == "quick"

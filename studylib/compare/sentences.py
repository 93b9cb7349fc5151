"""The one sentence of a record: no more than its intervals and verdicts say.

The difference that it states is the largest among the arms that are better. The largest of several is on
average an overestimate; the interval is that of the arm alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import ceil

from studylib.compare.verdicts import ALPHA, contrasts, smallest_effect
from studylib.metrics import Metric, metric_of
from studylib.records import Contrast, Record, Verdict
from studylib.statistics import FEWEST_PAIRS, FEWEST_SEEN, Interval, fewest_signs

NAMED = 3  # the rest of a longer list is counted
IMAGE_AXES = 3  # channels, height, width


def concluded(record: Record) -> Record:
    """Return the record with the contrasts of its deciding metric and the headline drawn from them."""
    found = contrasts(record)
    return record.with_contrasts(found, headline(found, record))


def headline(found: Sequence[Contrast], record: Record) -> str:
    """Return the finding in one sentence, what its size means in another, and the fits that did not finish.

    Args:
        found: the contrasts of ``record`` on one metric.
        record: where they were drawn from.
    """
    text = " ".join(part for part in (_finding(found, record), _unfinished(record)) if part)
    # a sentence begins with a capital, but λ is not Λ
    return text[0].upper() + text[1:] if text[:1].isascii() else text


def spoken(key: str) -> str:
    """Return the key of a metric in words: ``test accuracy``, ``number of non-zero weights``."""
    metric = metric_of(key)
    return f"{key.removesuffix(metric.name).rstrip('_')} {metric.noun}".strip()


def sized(metric: Metric, interval: Interval, pairs: int, unit: str) -> str:
    """Return ``2.1 points (95 % interval 1.2 to 3.0, 10 paired seeds)``; the size without sign."""
    size = metric.size(interval.mean, (interval.high - interval.low) / 2, unit)
    return f"{size} ({_bounds(metric, interval, pairs)})"


def unit_of(record: Record) -> str:
    """Return the unit of the target of a regression; empty for other tasks."""
    return str(record.dataset.get("unit", ""))


def meaning(c: Contrast, record: Record) -> str:
    """Return what a difference means in the words of a stakeholder: ``about 21 more right answers in …``."""
    rows = "images" if len(record.dataset.get("inputs", ())) == IMAGE_AXES else "cases"
    return metric_of(c.metric).meaning(c.difference, unit_of(record), rows)


def _finding(found: Sequence[Contrast], record: Record) -> str:
    if not found:
        return f"Only {record.baseline} was trained: there is nothing to hold against it."
    first = found[0]
    if max(c.pairs for c in found) < FEWEST_PAIRS:
        return (
            f"Nothing can be said about {spoken(first.metric)}: "
            f"no arm finished {FEWEST_PAIRS} seeds together with {first.baseline}."
        )
    better = sorted(_of("better", found), key=lambda c: -abs(c.difference))
    clauses = [_raised(better[0], record) if better else _none_better(found, record)]
    if better[1:]:
        clauses.append(f"{_names(better[1:])} {_verb(better[1:])} also better")
    if worse := _of("worse", found):
        clauses.append(f"{_names(worse)} {_verb(worse)} worse")
    if equal := _of("equivalent", found):
        effect = _effect(first.metric, record)
        clauses.append(f"{_names(equal)} {_verb(equal)} equivalent to {first.baseline} within {effect}")
    if undecided := _of("undecided", found):
        nothing = f"nothing else was distinguishable from {first.baseline}: "
        clauses.append((nothing if better and not clauses[1:] else "") + _undecided(undecided, len(found)))
    said = "; ".join(clauses) + "."
    return f"{said} In plain words: {meaning(better[0], record)}." if better else said


def _of(verdict: Verdict, found: Sequence[Contrast]) -> list[Contrast]:
    return [c for c in found if c.verdict == verdict]


def _raised(c: Contrast, record: Record) -> str:
    metric, up = metric_of(c.metric), c.difference > 0
    low, high = (c.low, c.high) if up else (-c.high, -c.low)
    interval = Interval(abs(c.difference), low, high, c.level, c.p)
    size = metric.size(interval.mean, (high - low) / 2, unit_of(record))
    aside = "" if metric.higher_is_better else " (lower is better)"
    by = ", by the sign-flip test" if c.decided_by == "sign flip" else ""
    did = f"{c.arm} {'raised' if up else 'lowered'} the {spoken(c.metric)}{aside} by {size}"
    return f"{did}, {_bounds(metric, interval, c.pairs)}{by}"


def _none_better(found: Sequence[Contrast], record: Record) -> str:
    first, pairs = found[0], sorted({c.pairs for c in found})
    seeds = f"{pairs[0]} to {pairs[-1]}" if pairs[1:] else f"{pairs[0]}"
    effect = _effect(first.metric, record)
    at = f", at a smallest effect of {effect}" if effect else ""
    return (
        f"No arm was distinguishably better than {first.baseline} on {spoken(first.metric)}{at} "
        f"({seeds} paired seeds)"
    )


def _undecided(open_: Sequence[Contrast], arms: int) -> str:
    needed = [_rounded_up(c.more_seeds) for c in open_ if c.more_seeds]
    stay = f"{_names(open_)} {'stays' if len(open_) == 1 else 'stay'} undecided"
    notes = []
    if needed:
        low, high = min(needed), max(needed)
        seeds = f"{low}" if low == high else f"{low} to {high}"
        one = "seed" if seeds == "1" else "seeds"
        notes.append(f"about {seeds} more {one} might decide")
    elif max(c.pairs for c in open_) < FEWEST_SEEN:
        notes.append("too few seeds to say how many would decide")
    if mute := [c for c in open_ if _mute(c, arms)]:
        which = "this" if len(open_) == 1 else "each" if len(mute) == len(open_) else _names(mute)
        notes.append(f"{mute[0].pairs} seeds are too few for the sign-flip test that {which} calls for")
    return f"{stay} ({'; '.join(notes)})" if notes else stay


def _mute(c: Contrast, arms: int) -> bool:
    """Say whether the t test sees a difference that the sign-flip test cannot confirm with so few seeds."""
    return c.decided_by == "sign flip" and c.p < ALPHA and c.pairs < fewest_signs(1 - ALPHA / arms)


def _unfinished(record: Record) -> str:
    if not (missing := record.unfinished()):
        return ""
    counts = Counter((fit.arm, fit.status) for fit in missing)
    parts = [f"{arm} ({count} {status})" for (arm, status), count in counts.items()]
    hidden = [f"{len(parts) - NAMED} more"] if len(parts) > NAMED else []
    listed = _joined([*parts[:NAMED], *hidden])
    return f"{len(missing)} of {len(record.fits)} fits did not finish: {listed}."


def _bounds(metric: Metric, interval: Interval, pairs: int) -> str:
    reach = (interval.high - interval.low) / 2
    bounds = f"{metric.digits(interval.low, reach)} to {metric.digits(interval.high, reach)}"
    return f"{100 * interval.level:g} % interval {bounds}, {pairs} paired seeds"


def _effect(metric: str, record: Record) -> str:
    asked = metric_of(metric)
    effect = smallest_effect(record, metric)
    return asked.amount(effect, unit_of(record)) if effect else ""


def _names(some: Sequence[Contrast]) -> str:
    names = [c.arm for c in some]
    # to count one name takes as long as to say it
    return _joined(names if len(names) <= NAMED + 1 else [*names[:NAMED], f"{len(names) - NAMED} more"])


def _joined(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _verb(some: Sequence[Contrast]) -> str:
    return "was" if len(some) == 1 else "were"


def _rounded_up(pairs: int) -> int:
    unit = int(10 ** max(0, len(str(pairs)) - 2))
    return ceil(pairs / unit) * unit

"""Every arm against the baseline, paired by seed, and the one rule by which a verdict is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import inf, nan

from studylib.compare.pairing import differences, refuse_unmeasured, values, win_rate
from studylib.errors import unknown
from studylib.metrics import metric_of
from studylib.records import Contrast, Record, Verdict
from studylib.statistics import (
    FEWEST_PAIRS,
    Interval,
    Judgement,
    holm,
    judged,
    paired_interval,
    resampled_interval,
    seeds_to_decide,
)

ALPHA = 0.05
LEVEL = 0.95


def verdict(
    interval: Interval, p_holm: float, p_equivalent: float, smallest_effect: float, *, higher_is_better: bool
) -> Verdict:
    """Return what the paired differences of one arm entitle to say.

    1. ``equivalent``: the interval lies within ± the smallest effect, and so do, at 5 % after Holm over the
       arms, two one-sided tests. This comes first: a difference that is surely not zero and surely too
       small to matter does not matter.
    2. ``better`` or ``worse``: p after Holm over the arms is below 5 %, and the mean is at least the smallest
       effect, in the direction of the metric.
    3. ``undecided``: anything else, and always below two pairs.

    The p values are those of ``statistics.judged``: Student's t, or the larger of that and the sign-flip
    test's where the t test cannot be believed. Of n seeds and m arms beside the baseline, the sign-flip test
    alone can call a difference real if m·2^(1 − n) is below 5 %: from 6 seeds with one, from 9 with ten.
    All of it is about further seeds on these data; the cautious interval of a contrast, about new data,
    decides nothing.

    Args:
        interval: of the mean of arm − baseline, as it is shown.
        p_holm: p value of no difference, after Holm.
        p_equivalent: p value of a difference that matters, after Holm.
        smallest_effect: size from which a difference matters, in the unit of the metric.
        higher_is_better: direction of the metric.
    """
    if p_equivalent < ALPHA and -smallest_effect < interval.low <= interval.high < smallest_effect:
        return "equivalent"
    if p_holm < ALPHA and abs(interval.mean) >= smallest_effect:
        return "better" if (interval.mean > 0) == higher_is_better else "worse"
    return "undecided"


def contrasts(record: Record, metric: str | None = None, baseline: str | None = None) -> tuple[Contrast, ...]:
    """Return every other arm against the baseline, over the seeds that both finished.

    The smallest effect is that of the deciding metric; on another metric it is 0, and no arm is equivalent.

    Args:
        record: of a run.
        metric: a key such as ``test_accuracy``; the one that decides if None.
        baseline: an arm; the first if None.

    Raises:
        ParameterError: unknown metric or arm, or a metric that was not measured.
    """
    metric = metric or str(record.params["metric"])
    baseline = baseline or record.baseline
    refuse_unmeasured(record, metric)
    if baseline not in record.arms:
        raise unknown("arm", baseline, record.arms, f"{record.study}/{record.run}")
    reference = values(record, baseline, metric)
    seen = {
        arm: differences(values(record, arm, metric), reference) for arm in record.arms if arm != baseline
    }
    effect = smallest_effect(record, metric)
    blank = Contrast("", metric, baseline, nan, -inf, inf, LEVEL, 1.0, 1.0, "undecided", 0)
    measured = [_measured(replace(blank, arm=arm), record, differing) for arm, differing in seen.items()]
    judgements = [judged(differing, effect) for differing in seen.values()]
    return tuple(
        c if c.verdict != "undecided" else replace(c, more_seeds=_more_seeds(seen[c.arm], effect, len(seen)))
        for c in _tested(measured, judgements, effect)
    )


def smallest_effect(record: Record, metric: str) -> float:
    """Return from which size a difference of ``metric`` matters: 0 if it is not the one that decides."""
    return float(record.params["smallest_effect"]) if metric == record.params["metric"] else 0.0


def _measured(blank: Contrast, record: Record, differing: Sequence[float]) -> Contrast:
    """Return the contrast with what the differences are, before anything is tested."""
    interval, cautious = paired_interval(differing, blank.level), _cautious(record, differing)
    return replace(
        blank,
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
        p=interval.p,
        pairs=len(differing),
        cautious_low=cautious.low if cautious else None,
        cautious_high=cautious.high if cautious else None,
        win_rate=win_rate(differing, higher_is_better=metric_of(blank.metric).higher_is_better),
    )


def _tested(
    measured: Sequence[Contrast], judgements: Sequence[Judgement], effect: float
) -> Iterator[Contrast]:
    """Yield the contrasts of a study with the p values that count, after Holm over all, and a verdict."""
    p_holm = holm([judgement.p for judgement in judgements])
    p_equivalent = holm([judgement.p_equivalent for judgement in judgements])
    for c, judgement, p, p_same in zip(measured, judgements, p_holm, p_equivalent, strict=True):
        interval = Interval(c.difference, c.low, c.high, c.level, c.p)
        upwards = metric_of(c.metric).higher_is_better
        yield replace(
            c,
            p_holm=p,
            p_equivalent=p_same,
            decided_by=judgement.decided_by,
            p_sign_flip=judgement.p_sign_flip,
            verdict=verdict(interval, p, p_same, effect, higher_is_better=upwards),
        )


def _cautious(record: Record, differing: Sequence[float]) -> Interval | None:
    """Return the interval for new data, if the record says how many rows each seed trains on and tests."""
    split = record.dataset.get("split", {})
    train, test = split.get("train", 0), split.get("test", 0)
    if len(differing) < FEWEST_PAIRS or not (train and test):
        return None
    return resampled_interval(differing, train, test, LEVEL)


def _more_seeds(differing: Sequence[float], effect: float, arms: int) -> int | None:
    pairs = seeds_to_decide(differing, effect, 1 - ALPHA / arms)
    return max(1, pairs - len(differing)) if pairs else None

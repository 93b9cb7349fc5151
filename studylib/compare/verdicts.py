"""Every arm against the baseline, paired by seed, and the one rule by which a verdict is given."""

from __future__ import annotations

from studylib.compare.pairing import differences, refuse_unmeasured, values
from studylib.errors import unknown
from studylib.metrics import metric_of
from studylib.records import Contrast, Record, Verdict
from studylib.statistics import Interval, equivalence_p, holm, paired_interval

ALPHA = 0.05
LEVEL = 0.95


def verdict(
    interval: Interval, p_holm: float, p_equivalent: float, smallest_effect: float, *, higher_is_better: bool
) -> Verdict:
    """Return what the paired differences of one arm entitle to say.

    1. ``equivalent``: the interval lies within ± the smallest effect, and so do, at 5 % after Holm over the
       arms, two one-sided t tests. This comes first: a difference that is surely not zero and surely too
       small to matter does not matter.
    2. ``better`` or ``worse``: p after Holm over the arms is below 5 %, and the mean is at least the smallest
       effect, in the direction of the metric.
    3. ``undecided``: anything else, and always below two pairs.

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
    intervals = {arm: paired_interval(found, LEVEL) for arm, found in seen.items()}
    effect = smallest_effect(record, metric)
    p_holm = holm([interval.p for interval in intervals.values()])
    p_equivalent = holm([equivalence_p(found, effect) for found in seen.values()])
    upwards = metric_of(metric).higher_is_better
    return tuple(
        Contrast(
            arm=arm,
            metric=metric,
            baseline=baseline,
            difference=interval.mean,
            low=interval.low,
            high=interval.high,
            level=LEVEL,
            p=interval.p,
            p_holm=p,
            verdict=verdict(interval, p, p_same, effect, higher_is_better=upwards),
            pairs=len(seen[arm]),
        )
        for (arm, interval), p, p_same in zip(intervals.items(), p_holm, p_equivalent, strict=True)
    )


def smallest_effect(record: Record, metric: str) -> float:
    """Return from which size a difference of ``metric`` matters: 0 if it is not the one that decides."""
    return float(record.params["smallest_effect"]) if metric == record.params["metric"] else 0.0

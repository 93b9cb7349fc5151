"""Every arm against the baseline, paired by seed, and the one rule by which a verdict is given."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from studylib.compare.pairing import differences, refuse_unmeasured, values
from studylib.errors import unknown
from studylib.metrics import metric_of
from studylib.records import Contrast, Record, Verdict
from studylib.statistics import equivalence_p, holm, paired_interval

ALPHA = 0.05
LEVEL = 0.95


def verdict(
    seen: Sequence[float], p_holm: float, smallest_effect: float, *, higher_is_better: bool
) -> Verdict:
    """Return what the paired differences of one arm entitle to say.

    1. ``equivalent``: two one-sided t tests at 5 % place the mean within ± the smallest effect. This comes
       first: a difference that is surely not zero and surely too small to matter does not matter.
    2. ``better`` or ``worse``: p after Holm over the arms is below 5 %, and the mean is at least the smallest
       effect, in the direction of the metric.
    3. ``undecided``: anything else, and always below two pairs.

    Args:
        seen: arm − baseline, one per seed.
        p_holm: two-sided p value of no difference, after Holm.
        smallest_effect: size from which a difference matters, in the unit of the metric.
        higher_is_better: direction of the metric.
    """
    if equivalence_p(seen, smallest_effect) < ALPHA:
        return "equivalent"
    if p_holm < ALPHA and abs(mean := fmean(seen)) >= smallest_effect:
        return "better" if (mean > 0) == higher_is_better else "worse"
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
    adjusted = holm([paired_interval(found).p for found in seen.values()])
    return tuple(
        _contrast(record, arm, metric, baseline, found, p_holm)
        for (arm, found), p_holm in zip(seen.items(), adjusted, strict=True)
    )


def _contrast(
    record: Record, arm: str, metric: str, baseline: str, seen: Sequence[float], p_holm: float
) -> Contrast:
    interval = paired_interval(seen, LEVEL)
    effect = smallest_effect(record, metric)
    said = verdict(seen, p_holm, effect, higher_is_better=metric_of(metric).higher_is_better)
    return Contrast(
        arm=arm,
        metric=metric,
        baseline=baseline,
        difference=interval.mean,
        low=interval.low,
        high=interval.high,
        level=LEVEL,
        p=interval.p,
        p_holm=p_holm,
        verdict=said,
        pairs=len(seen),
    )


def smallest_effect(record: Record, metric: str) -> float:
    """Return from which size a difference of ``metric`` matters: 0 if it is not the one that decides."""
    return float(record.params["smallest_effect"]) if metric == record.params["metric"] else 0.0

"""Numbers of a record by arm and seed, and their differences where two arms share a seed."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, nan
from statistics import fmean

from studylib.errors import unknown
from studylib.records import Record


def values(record: Record, arm: str, metric: str) -> dict[int, float]:
    """Return the metric of ``arm`` by seed, over the fits that finished with a finite number."""
    found = {fit.seed: fit.metrics.get(metric, nan) for fit in record.finished(arm)}
    return {seed: value for seed, value in sorted(found.items()) if isfinite(value)}


def differences(after: dict[int, float], before: dict[int, float]) -> list[float]:
    """Return after − before over the seeds that both have, in the order of the seeds."""
    return [value - before[seed] for seed, value in after.items() if seed in before]


def win_rate(differences: Sequence[float], *, higher_is_better: bool) -> float | None:
    """Return the share of differences in favour of the arm, a tie counting half; None without any."""
    sign = 1 if higher_is_better else -1
    wins = [0.5 + 0.5 * (int(sign * d > 0) - int(sign * d < 0)) for d in differences]
    return fmean(wins) if wins else None


def arm_means(record: Record, metric: str) -> dict[str, float]:
    """Return the mean of any measured number over the finished fits of each arm; nan without any.

    Raises:
        ParameterError: the record has finished fits, but none has that number.
    """
    refuse_unmeasured(record, metric)
    measured = {arm: values(record, arm, metric) for arm in record.arms}
    return {arm: fmean(found.values()) if found else nan for arm, found in measured.items()}


def refuse_unmeasured(record: Record, metric: str) -> None:
    """Refuse a metric that no finished fit has.

    Raises:
        ParameterError: with the metrics that were measured.
    """
    finished = [fit for arm in record.arms for fit in record.finished(arm)]
    measured = {name for fit in finished for name in fit.metrics}
    if finished and metric not in measured:
        raise unknown("metric", metric, measured, f"{record.study}/{record.run}")

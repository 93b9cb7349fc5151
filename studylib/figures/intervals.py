"""Means over the seeds of an arm, with their uncertainty."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from studylib.compare.pairing import values
from studylib.statistics import Interval, paired_interval

if TYPE_CHECKING:
    from studylib.records import Record


def interval(record: Record, arm: str, metric: str) -> Interval | None:
    """Return the mean of ``metric`` over the seeds of ``arm`` with its 95 % interval, if it was measured."""
    found = values(record, arm, metric)
    return paired_interval(list(found.values())) if found else None


def reach(one: Interval) -> float:
    """Return half the width of an interval; 0, so that none is drawn, where a single seed has none."""
    return one.high - one.mean if isfinite(one.high) else 0.0

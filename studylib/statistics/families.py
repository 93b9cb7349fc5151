"""Many arms, one promise: p values of a family of tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number; below α they are wrong together at most with chance α.

    The i-th smallest of m becomes the largest (m − j + 1)·p₍ⱼ₎ over j ≤ i, at most 1.

    Source: Holm (1979), https://www.jstor.org/stable/4615733
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    adjusted = np.empty_like(p)
    adjusted[order] = steps
    return [float(value) for value in adjusted]

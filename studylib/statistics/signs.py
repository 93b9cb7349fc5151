"""The sign-flip test: if arm and baseline are alike, each difference could as well have had the other sign.

It needs no normal distribution, only one that is symmetric about the mean in question, and it is exact.
Its p is at least 2^(1 − n), two-sided, whatever the differences are.

Source: Fisher (1935), The Design of Experiments, section 21; for samples of the flips Phipson and Smyth
(2010), https://doi.org/10.2202/1544-6115.1585
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from studylib.statistics.student import FEWEST_PAIRS, refuse_margin

MOST_COUNTED = 24  # pairs whose 2^n flips are all counted: two halves of 2^12 sums
DRAWN = 9_999  # flips above that; their p is at least 0.0001
TIE = 1e-9  # of Σ|d|: sums that differ by rounding alone


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return how often a sum of ±d is at least as far from zero as Σ d: the p value of no difference.

    All 2^n sums up to 24 pairs; above, 9 999 that are drawn, always the same. 1 below two pairs.

    Args:
        differences: one per pair, shape (n,).
    """
    d = np.asarray(differences, dtype=np.float64)
    if len(d) < FEWEST_PAIRS:
        return 1.0
    return min(1.0, 2 * _share_of_sums_above(d, abs(float(d.sum())))) if d.sum() else 1.0


def sign_flip_equivalence_p(differences: Sequence[float], margin: float) -> float:
    """Return the p value of "the differences lie about a mean outside ± margin": the larger of two one-sided.

    It is at least 2^(−n). 1 below two pairs.

    Args:
        differences: one per pair, shape (n,).
        margin: smallest size of a difference that matters, in the unit of the differences.

    Raises:
        ParameterError: ``margin`` is negative.
    """
    refuse_margin(margin)
    d = np.asarray(differences, dtype=np.float64)
    if len(d) < FEWEST_PAIRS:
        return 1.0
    return max(_share_of_sums_above(room, float(room.sum())) for room in (margin - d, margin + d))


def _share_of_sums_above(d: np.ndarray, bound: float) -> float:
    """Return the share of all ± sums that reach ``bound``."""
    least = bound - TIE * float(np.abs(d).sum())
    if len(d) > MOST_COUNTED:
        signs = np.random.default_rng(0).integers(0, 2, (DRAWN, len(d)), dtype=np.int8) * 2 - 1
        reached = int((signs @ d >= least).sum())
        return (reached + 1) / (DRAWN + 1)
    left, right = _sums(d[::2]), np.sort(_sums(d[1::2]))
    short = int(np.searchsorted(right, least - left).sum())
    return 1 - short / 2.0 ** len(d)


def _sums(d: np.ndarray) -> np.ndarray:
    sums = np.zeros(1)
    for one in d:
        sums = np.concatenate([sums - one, sums + one])
    return sums

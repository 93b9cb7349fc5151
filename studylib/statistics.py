"""Small-sample statistics of paired differences: one number per seed, arm − baseline.

Student's t throughout, not the bootstrap: with 5 seeds a percentile bootstrap that claims 95 % covers 83 %.

Where all differences are equal there is no spread to judge them by. With few seeds and a small test set that
happens by chance, and the t statistic would call it certainty. The exact sign-flip test takes over there:
n differences of one sign have p = 2^(1 − n), two-sided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import final

import numpy as np

from studylib.errors import ParameterError

FEWEST_PAIRS = 2  # below, no spread can be seen
MOST_PAIRS = 10_000


@final
@dataclass(frozen=True)
class Interval:
    """A mean difference with its uncertainty.

    Attributes:
        mean: of the differences; nan if there are none.
        low, high: bounds of the interval; infinite below two differences.
        level: how often such intervals hold the true mean, between 0 and 1.
        p: two-sided p value of a true mean of zero; 1 below two differences.
    """

    mean: float
    low: float
    high: float
    level: float
    p: float


def paired_interval(differences: Sequence[float], level: float = 0.95) -> Interval:
    """Return mean ± t((1 + level)/2, n − 1) · s/√n, and the p value of a true mean of zero.

    Source: Student (1908), https://doi.org/10.1093/biomet/6.1.1

    Args:
        differences: one per pair, shape (n,).
        level: of the interval.

    Raises:
        ParameterError: ``level`` is not between 0 and 1.
    """
    from scipy.special import stdtr, stdtrit

    if not 0 < level < 1:
        raise ParameterError(f"level: expected a number between 0 and 1, got {level}.")
    d = np.asarray(differences, dtype=np.float64)
    mean = float(d.mean()) if len(d) else nan
    if len(d) < FEWEST_PAIRS:
        return Interval(mean, -inf, inf, level, 1.0)
    if _flat(d):
        return Interval(mean, mean, mean, level, _sign_flip(len(d)) if mean else 1.0)
    error = _standard_error(d)
    reach = float(stdtrit(len(d) - 1, (1 + level) / 2)) * error
    p = 2 * float(stdtr(len(d) - 1, -abs(mean) / error))
    return Interval(mean, mean - reach, mean + reach, level, p)


def equivalence_p(differences: Sequence[float], margin: float) -> float:
    """Return the p value of "the true mean lies outside ± margin": the larger of two one-sided t tests.

    Source: Schuirmann (1987), https://doi.org/10.1007/BF01068419

    Args:
        differences: one per pair, shape (n,).
        margin: smallest size of a difference that matters, in the unit of the differences.

    Raises:
        ParameterError: ``margin`` is negative.
    """
    from scipy.special import stdtr

    if margin < 0:
        raise ParameterError(f"margin: expected a number of at least 0, got {margin}.")
    d = np.asarray(differences, dtype=np.float64)
    if len(d) < FEWEST_PAIRS:
        return 1.0
    room = margin - abs(float(d.mean()))
    if _flat(d, margin):
        return _sign_flip(len(d)) / 2 if room > 0 else 1.0
    return float(stdtr(len(d) - 1, -room / _standard_error(d)))


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


def seeds_to_decide(differences: Sequence[float], margin: float, level: float = 0.95) -> int | None:
    """Return how many pairs would decide if mean and spread stayed as seen: a guess, not a promise.

    A mean of at least ``margin`` is decided when its interval at ``level`` leaves out zero; a smaller one
    when its 95 % interval, and two one-sided tests at 1 − ``level``, place it within ± margin. None without
    a spread, or above 10 000.

    Args:
        differences: one per pair, shape (n,).
        margin: smallest size of a difference that matters, in the unit of the differences.
        level: of the interval; 1 − 0.05/m among m arms.
    """
    from scipy.special import stdtrit

    d = np.asarray(differences, dtype=np.float64)
    if len(d) < FEWEST_PAIRS or _flat(d, margin):
        return None
    size = abs(float(d.mean()))
    quantile, room = ((1 + level) / 2, size) if size >= margin else (max(level, 0.975), margin - size)
    pairs = np.arange(FEWEST_PAIRS, MOST_PAIRS + 1)
    reach = stdtrit(pairs - 1, quantile) * float(d.std(ddof=1)) / np.sqrt(pairs)
    enough = pairs[reach < room]
    return int(enough[0]) if len(enough) else None


def _standard_error(d: np.ndarray) -> float:
    return float(d.std(ddof=1)) / sqrt(len(d))


def _flat(d: np.ndarray, scale: float = 0.0) -> bool:
    # Equal shares such as 350/360 − 349/360 differ in their last bits; that is no spread.
    return bool(np.ptp(d) <= 1e-9 * max(scale, float(np.abs(d).max())))


def _sign_flip(pairs: int) -> float:
    return 2.0 ** (1 - pairs)

"""How many seeds would decide what is still open?"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2

import numpy as np

from studylib.statistics.student import FEWEST_PAIRS, flat, refuse_level, refuse_margin

MOST_PAIRS = 10_000
CHANCE = 0.8


def seeds_to_decide(differences: Sequence[float], margin: float, level: float = 0.95) -> int | None:
    """Return how many pairs, those seen included, would decide with a chance of 80 %, were the truth as seen.

    With N pairs the mean will be that of the n seen, give or take s·√(N − n)/N. A mean decides when it is at
    least the margin and its interval at ``level`` leaves out zero, or when its 95 % interval, and two
    one-sided tests at 1 − ``level``, place it within ± margin. It is a guess, as mean and spread are.

    None below two pairs, without a spread, or above 10 000.

    Args:
        differences: one per pair, shape (n,).
        margin: smallest size of a difference that matters, in the unit of the differences.
        level: of the interval; 1 − 0.05/m among m arms.

    Raises:
        ParameterError: ``level`` is not between 0 and 1, or ``margin`` is negative.
    """
    refuse_level(level)
    refuse_margin(margin)
    d = np.asarray(differences, dtype=np.float64)
    if len(d) < FEWEST_PAIRS or flat(d, margin):
        return None
    pairs = np.arange(len(d), max(MOST_PAIRS, len(d)) + 1)
    chances = _chances(abs(float(d.mean())), float(d.std(ddof=1)), pairs, margin, level)
    enough = pairs[chances >= CHANCE]
    return int(enough[0]) if len(enough) else None


def fewest_signs(level: float = 0.95) -> int:
    """Return from how many pairs the sign-flip test can have a p below 1 − ``level``: 2^(1 − n) must be.

    Raises:
        ParameterError: ``level`` is not between 0 and 1.
    """
    refuse_level(level)
    return 1 + ceil(-log2(1 - level))


def _chances(size: float, spread: float, pairs: np.ndarray, margin: float, level: float) -> np.ndarray:
    """Return the chance of a decision for each number of ``pairs``, the first being those seen."""
    from scipy.special import ndtr, stdtrit

    error = spread / np.sqrt(pairs)
    # Nothing is left to chance among the pairs seen; almost nothing spares a division by zero.
    luck = np.maximum(spread * np.sqrt(pairs - pairs[0]) / pairs, 1e-12 * spread)
    differs = np.maximum(margin, stdtrit(pairs - 1, (1 + level) / 2) * error)
    within = np.maximum(margin - stdtrit(pairs - 1, max(level, 0.975)) * error, 0)
    either = ndtr((size - differs) / luck) + ndtr((-size - differs) / luck)
    neither: np.ndarray = either + ndtr((within - size) / luck) - ndtr((-within - size) / luck)
    return neither

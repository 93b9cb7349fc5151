"""How many seeds would decide what is still open?"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2

import numpy as np

from studylib.statistics.judging import judged
from studylib.statistics.student import flat, refuse_level, refuse_margin

MOST_PAIRS = 10_000
CHANCE = 0.8
FEWEST_SEEN = 5
STEPS = 240


def seeds_to_decide(differences: Sequence[float], margin: float, level: float = 0.95) -> int | None:
    """Return how many pairs, those seen included, would decide with a chance of 80 %, were the truth as seen.

    With N pairs the mean will be that of the n seen, give or take s·√(N − n)/N. A mean decides when it is at
    least the margin and its interval at ``level`` leaves out zero, or when its 95 % interval, and two
    one-sided tests at 1 − ``level``, place it within ± margin.

    Mean and spread are guesses, and so is this. Of simulated studies that went on by as many pairs as it
    named, from 43 % to 92 % were decided where five pairs had been seen, and from 52 % to 98 % where ten or
    twenty had been: the fewest where the truth is near the margin. Where two had been seen it was from 32 %
    to 72 %, so below five it names none.

    Where the sign-flip test decides (``judged``), it is at least ``fewest_signs``, and exactly that, or those
    seen, if all differences are equal. None below five pairs, above 10 000, or if all differences and the
    margin are 0.

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
    if len(d) < FEWEST_SEEN:
        return None
    by_signs = judged(d.tolist(), margin).decided_by == "sign flip"
    fewest = max(len(d), fewest_signs(level)) if by_signs else len(d)
    if flat(d, margin):
        return fewest if margin or d.any() else None
    # First in steps of 4 %, then one by one between the last that are too few and the first that are enough.
    steps = np.unique(np.geomspace(fewest, max(MOST_PAIRS, fewest), STEPS).round().astype(int))
    enough = steps[_chances(d, steps, margin, level) >= CHANCE]
    if not len(enough):
        return None
    between = np.arange(max(steps[steps < enough[0]], default=enough[0]), enough[0] + 1)
    return int(between[_chances(d, between, margin, level) >= CHANCE][0])


def fewest_signs(level: float = 0.95) -> int:
    """Return from how many pairs the sign-flip test can have a p below 1 − ``level``: 2^(1 − n) must be.

    Raises:
        ParameterError: ``level`` is not between 0 and 1.
    """
    refuse_level(level)
    return 1 + ceil(-log2(1 - level))


def _chances(d: np.ndarray, pairs: np.ndarray, margin: float, level: float) -> np.ndarray:
    """Return the chance of a decision for each number of ``pairs``, those of ``d`` included."""
    from scipy.special import ndtr, stdtrit

    size, spread = abs(float(d.mean())), float(d.std(ddof=1))
    error = spread / np.sqrt(pairs)
    # Nothing is left to chance among the pairs seen; almost nothing spares a division by zero.
    luck = np.maximum(spread * np.sqrt(pairs - len(d)) / pairs, 1e-12 * spread)
    differs = np.maximum(margin, stdtrit(pairs - 1, (1 + level) / 2) * error)
    within = np.maximum(margin - stdtrit(pairs - 1, max(level, 0.975)) * error, 0)
    either = ndtr((size - differs) / luck) + ndtr((-size - differs) / luck)
    chances: np.ndarray = either + ndtr((within - size) / luck) - ndtr((-within - size) / luck)
    return chances

"""Student's t on paired differences: interval, test, equivalence, and a correction for overlapping splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nan, sqrt
from typing import final

import numpy as np

from studylib.errors import ParameterError

FEWEST_PAIRS = 2  # below, no spread can be seen


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

    Equal differences have no spread to be judged by: the interval is the point, and p the sign-flip test's.

    Source: Student (1908), https://doi.org/10.1093/biomet/6.1.1

    Args:
        differences: one per pair, shape (n,).
        level: of the interval.

    Raises:
        ParameterError: ``level`` is not between 0 and 1.
    """
    refuse_level(level)
    d = np.asarray(differences, dtype=np.float64)
    return _student(d, standard_error(d), level) if len(d) else Interval(nan, -inf, inf, level, 1.0)


def resampled_interval(
    differences: Sequence[float], train: float, test: float, level: float = 0.95
) -> Interval:
    """Return the interval of ``paired_interval`` with s·√(1/n + test/train) in place of s/√n.

    Splits drawn again and again from one pool overlap, and more of them do not make the pool larger.
    Student's interval is about further splits of the same pool; this one is about new data of the same kind,
    assuming that two splits correlate by the share of rows that is tested, test/(train + test).

    That is meant for a test set smaller than the train set. Ridge against least squares, 8 features, 10 and
    20 splits of pools of 442 to 1 797 rows, test/train from 0.25 to 27: Student's 95 % interval held the
    truth over new pools in 89 % to 96 % of cases, this one in more than 99.5 %, being 2 to 23 times as wide
    where 1.0 to 1.2 times was needed. So it is a cautious bound, and no verdict is drawn from it.

    Source: Nadeau and Bengio (2003), https://doi.org/10.1023/A:1024068626366

    Args:
        differences: one per split, shape (n,).
        train: rows, or share of all rows, that are trained on.
        test: rows, or share of all rows, that are tested on.
        level: of the interval.

    Raises:
        ParameterError: ``level`` is not between 0 and 1, or ``train`` or ``test`` is not above 0.
    """
    refuse_level(level)
    if not (train > 0 and test > 0):
        raise ParameterError(f"train and test: expected two numbers above 0, got {train} and {test}.")
    d = np.asarray(differences, dtype=np.float64)
    if not len(d):
        return Interval(nan, -inf, inf, level, 1.0)
    return _student(d, standard_error(d) * sqrt(1 + len(d) * test / train), level)


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

    refuse_margin(margin)
    d = np.asarray(differences, dtype=np.float64)
    if len(d) < FEWEST_PAIRS:
        return 1.0
    room = margin - abs(float(d.mean()))
    if flat(d, margin):
        return 2.0 ** -len(d) if room > 0 else 1.0
    return float(stdtr(len(d) - 1, -room / standard_error(d)))


def standard_error(d: np.ndarray) -> float:
    """Return s/√n, infinite below two differences."""
    return float(d.std(ddof=1)) / sqrt(len(d)) if len(d) >= FEWEST_PAIRS else inf


def flat(d: np.ndarray, scale: float = 0.0) -> bool:
    """Say whether all differences are equal, measured by the largest of them or by ``scale``."""
    # Equal shares such as 350/360 − 349/360 differ in their last bits; that is no spread.
    return bool(np.ptp(d) <= 1e-9 * max(scale, float(np.abs(d).max())))


def refuse_level(level: float) -> None:
    """Refuse a level that no interval can have.

    Raises:
        ParameterError: ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ParameterError(f"level: expected a number between 0 and 1, got {level}.")


def refuse_margin(margin: float) -> None:
    """Refuse a margin that nothing lies within.

    Raises:
        ParameterError: ``margin`` is negative.
    """
    if margin < 0:
        raise ParameterError(f"margin: expected a number of at least 0, got {margin}.")


def _student(d: np.ndarray, error: float, level: float) -> Interval:
    from scipy.special import stdtr, stdtrit

    mean, degrees = float(d.mean()), len(d) - 1
    if not degrees:
        return Interval(mean, -inf, inf, level, 1.0)
    if flat(d):
        return Interval(mean, mean, mean, level, 2.0**-degrees if mean else 1.0)
    reach = float(stdtrit(degrees, (1 + level) / 2)) * error
    p = 2 * float(stdtr(degrees, -abs(mean) / error))
    return Interval(mean, mean - reach, mean + reach, level, p)

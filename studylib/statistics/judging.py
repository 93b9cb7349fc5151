"""What paired differences prove, and by which test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

from studylib.statistics.shape import unlike_normal
from studylib.statistics.signs import sign_flip_equivalence_p, sign_flip_p
from studylib.statistics.student import FEWEST_PAIRS, equivalence_p, paired_interval

FEW_PAIRS = 10  # below, the t test is checked in any case
ALPHA = 0.05

Test = Literal["t", "sign flip"]


@final
@dataclass(frozen=True)
class Judgement:
    """The p values that count for the differences of one arm.

    Attributes:
        p: two-sided, of no difference; never smaller than the t test's.
        p_equivalent: of a difference that matters.
        p_sign_flip: of no difference by the sign-flip test, None where it was not called for.
        decided_by: the test that ``p`` and ``p_equivalent`` are from: the t test, or the larger of both.
    """

    p: float
    p_equivalent: float
    p_sign_flip: float | None
    decided_by: Test


def judged(differences: Sequence[float], margin: float) -> Judgement:
    """Return which p values count.

    1. The differences are far from normal (``unlike_normal``): the larger of the t and the sign-flip test's.
    2. There are fewer than ten; the t test finds a difference at 5 %; and the sign-flip p is neither below
       that nor the least possible, 2^(1 − n): the sign-flip test's, which is the larger.
    3. Else the t test's.

    Args:
        differences: one per pair, shape (n,).
        margin: smallest size of a difference that matters, in the unit of the differences.

    Raises:
        ParameterError: ``margin`` is negative.
    """
    p, p_equivalent = paired_interval(differences).p, equivalence_p(differences, margin)
    pairs, odd = len(differences), unlike_normal(differences)
    if pairs < FEWEST_PAIRS or not (odd or pairs < FEW_PAIRS):
        return Judgement(p, p_equivalent, None, "t")
    flips = sign_flip_p(differences)
    if odd:
        same = max(p_equivalent, sign_flip_equivalence_p(differences, margin))
        return Judgement(max(p, flips), same, flips, "sign flip")
    if p < ALPHA < flips and flips > 2.0 ** (1 - pairs):
        return Judgement(flips, p_equivalent, flips, "sign flip")
    return Judgement(p, p_equivalent, flips, "t")

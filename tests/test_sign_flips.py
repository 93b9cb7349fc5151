"""Signs instead of a distribution: the sign-flip test, and when it takes over from Student's t."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from scipy import stats

from studylib.statistics import (
    fewest_signs,
    judged,
    normality_p,
    paired_interval,
    sign_flip_equivalence_p,
    sign_flip_p,
    unlike_normal,
)

DRAWS = np.random.default_rng(12)
# a margin of 0.5 is two one-sided tests
KINDS: dict[Literal["two-sided", "less", "greater"], float] = {"two-sided": 0, "less": 0.5, "greater": -0.5}


@pytest.mark.parametrize("pairs", [2, 5, 9, 14])
def test_sign_flips_are_scipys_permutation_test(pairs: int) -> None:
    """Both count every flip, also with equal and zero differences, about zero and about a margin."""
    for d in (DRAWS.normal(0.4, 1, pairs), DRAWS.integers(-2, 4, pairs) / 360):
        for alternative, shift in KINDS.items():
            moved: Any = (d - shift,)
            peer = stats.permutation_test(
                moved, np.sum, permutation_type="samples", n_resamples=2**pairs, alternative=alternative
            ).pvalue
            if alternative == "two-sided":
                assert sign_flip_p(list(d)) == pytest.approx(min(1, peer), abs=1e-12)
            elif alternative == ("less" if d.mean() >= 0 else "greater"):
                assert sign_flip_equivalence_p(list(d), 0.5) == pytest.approx(peer, abs=1e-12)


def test_drawn_sign_flips_are_near_the_counted_ones() -> None:
    """With 24 pairs all flips are counted, with 25 some are drawn: one that is tiny changes little."""
    d = list(DRAWS.normal(0.35, 1, 24))

    assert sign_flip_p([*d, 1e-6]) == pytest.approx(sign_flip_p(d), abs=0.015)
    assert sign_flip_p([1.0] * 40) == 2e-4
    assert sign_flip_p([*d, 1e-6]) == sign_flip_p([*d, 1e-6])


def test_sign_flips_have_a_smallest_p_and_say_nothing_without_pairs() -> None:
    """2^(1 − n) at differences of one sign; 1 for a mean of zero, and below two pairs."""
    assert [sign_flip_p([1.0, 2.0, 4.0, 8.0, 9.0][:n]) for n in (2, 3, 5)] == [1 / 2, 1 / 4, 1 / 16]
    assert sign_flip_equivalence_p([0.1, 0.2, 0.0], 0.5) == 1 / 8
    assert sign_flip_p([]) == sign_flip_p([1.0]) == sign_flip_p([1.0, -1.0]) == 1.0
    assert sign_flip_equivalence_p([0.0], 0.5) == 1.0
    assert [fewest_signs(1 - 0.05 / arms) for arms in (1, 3, 10)] == [6, 7, 9]
    assert all(2.0 ** (2 - n) > 0.05 / m >= 2.0 ** (1 - n) for m, n in ((1, 6), (3, 7), (10, 9)))


@pytest.mark.parametrize("pairs", [5, 10, 20, 100])
def test_far_from_normal_agrees_with_shapiro_and_wilk(pairs: int) -> None:
    """Of normal samples 5 % are flagged; of all, SciPy's test says the same of at least 15 in 16."""
    normal = np.random.default_rng(pairs).normal(size=(1_000, pairs))
    skewed = np.random.default_rng(pairs).exponential(size=(200, pairs))
    ours = [normality_p(d) < 0.05 for d in (*normal, *skewed)]
    peer = [stats.shapiro(d).pvalue < 0.05 for d in (*normal, *skewed)]

    assert np.mean(ours[:1_000]) == pytest.approx(0.05, abs=0.02)
    assert np.mean(np.array(ours) == np.array(peer)) > 15 / 16


def test_few_differences_are_far_from_normal_if_two_are_equal() -> None:
    """Below five there is no shape to see, only that a scale is coarse; equal ones are never normal."""
    assert [unlike_normal(d) for d in ([], [1.0], [1.0, 2.0], [1.0, 1.0], [3.0, 1.0, 2.0, 1.0 + 1e-12])] == [
        False,
        False,
        False,
        True,
        True,
    ]
    assert (normality_p([1.0] * 3), normality_p([0.1] * 6)) == (1.0, 0.0)


def test_which_test_decides() -> None:
    """The larger p far from normal, or where the sign flips contradict below ten pairs; else the t test's."""
    near = [0.9, 1.3, 1.0, 1.1, 0.7]
    rows = [1.0, 1.0, 1.0, 1.0, 2.0]
    torn = [1.0, 1.6, 1.9, 0.3, 2.7, -0.4, 0.2]
    many = [1.0, 1.2, 0.8, 1.1, 0.7, 1.4, 0.9, 1.05, 0.95, 1.3]

    assert judged(near, 0.1).decided_by == judged(many, 0.1).decided_by == "t"
    assert (judged(near, 0.1).p, judged(near, 0.1).p_sign_flip) == (paired_interval(near).p, 1 / 16)
    assert judged(many, 0.1).p_sign_flip is None
    assert paired_interval(rows).p < 0.01
    assert (judged(rows, 3).p, judged(rows, 3).p_equivalent) == (1 / 16, 1 / 32)
    assert judged(rows, 3).decided_by == judged(torn, 0.1).decided_by == "sign flip"
    assert judged(torn, 0.1).p == sign_flip_p(torn) > 0.05 > paired_interval(torn).p
    assert (judged([0.4], 1).p, judged([], 1).p_sign_flip) == (1.0, None)

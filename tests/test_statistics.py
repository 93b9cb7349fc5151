"""Statistics of paired differences: formulas, their peers in SciPy and autorank, and which test decides."""

from __future__ import annotations

from math import inf, isnan

import numpy as np
import pytest
from scipy import stats

from studylib.errors import ParameterError
from studylib.statistics import (
    bootstrap_interval,
    equivalence_p,
    fewest_signs,
    holm,
    paired_interval,
    resampled_interval,
    seeds_to_decide,
)

DRAWS = np.random.default_rng(11)


@pytest.mark.parametrize("pairs", [2, 3, 5, 20, 200])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_interval_and_p_are_those_of_scipys_paired_t_test(pairs: int, level: float) -> None:
    """Mean, bounds and p agree with ttest_rel to 12 digits."""
    arm, baseline = DRAWS.normal(0.87, 0.02, pairs), DRAWS.normal(0.85, 0.02, pairs)
    peer = stats.ttest_rel(arm, baseline)
    bounds = peer.confidence_interval(level)
    ours = paired_interval(list(arm - baseline), level)

    assert ours.p == pytest.approx(peer.pvalue, rel=1e-11)
    assert (ours.low, ours.high) == pytest.approx((bounds.low, bounds.high), rel=1e-11)
    assert ours.mean == pytest.approx(np.mean(arm) - np.mean(baseline), rel=1e-9)
    assert ours.level == level


@pytest.mark.parametrize("pairs", [2, 5, 30])
@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_equivalence_is_the_larger_of_two_one_sided_t_tests(pairs: int, margin: float) -> None:
    """TOST computed by scipy's one-sided tests gives the same p."""
    d = DRAWS.normal(0.1, 0.5, pairs)
    above = stats.ttest_1samp(d, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(d, margin, alternative="less").pvalue

    assert equivalence_p(list(d), margin) == pytest.approx(max(above, below), rel=1e-10)


def test_equivalence_at_5_percent_is_the_90_percent_interval_inside_the_margin() -> None:
    """The two ways to say it agree on 500 random samples."""
    for d in DRAWS.normal(0.1, 0.5, (500, 8)):
        interval = paired_interval(d, 0.90)

        assert (equivalence_p(d, 0.4) < 0.05) == (interval.low > -0.4 and interval.high < 0.4)


def test_holm_follows_its_definition() -> None:
    """Stepping down by hand, and the two properties that define it, hold for random p values with ties."""
    for size in range(1, 9):
        p = np.round(DRAWS.uniform(0, 0.4, size), 1)
        adjusted = holm(list(p))
        by_hand = [min(1.0, max((size - sum(p < q)) * q for q in p if q <= value)) for value in p]

        assert adjusted == pytest.approx(by_hand)
        assert np.all(np.array(adjusted) >= p)
        assert np.all(np.array(adjusted) <= np.minimum(1, p * size) + 1e-15)
    assert holm([]) == []
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_fewer_than_two_pairs_say_nothing() -> None:
    """No spread can be seen: the interval is the whole line, both p are 1."""
    none, one = paired_interval([]), paired_interval([0.4])

    assert isnan(none.mean)
    assert (one.mean, one.low, one.high, one.p) == (0.4, -inf, inf, 1.0)
    assert (none.low, none.high, none.p) == (-inf, inf, 1.0)
    assert equivalence_p([], 1.0) == equivalence_p([0.0], 1.0) == 1.0
    assert seeds_to_decide([0.4], 0.1) is seeds_to_decide([0.4, 0.5, 0.2, 0.1], 0.1) is None


@pytest.mark.parametrize("pairs", [2, 5, 10])
def test_equal_differences_are_judged_by_the_sign_flip_test(pairs: int) -> None:
    """Without spread the interval is the point and p = 2^(1 − n), also if the last bits differ; 1 at zero."""
    same = [0.2] * pairs
    shares = [(350 + k) / 360 - (349 + k) / 360 for k in range(pairs)]
    flat = paired_interval(same)

    assert flat.low == flat.high == flat.mean == pytest.approx(0.2)
    assert flat.p == paired_interval(shares).p == 2 ** (1 - pairs)
    assert paired_interval([0.0] * pairs).p == 1.0
    assert equivalence_p(same, 0.3) == equivalence_p([0.0] * pairs, 0.3) == 2**-pairs
    assert equivalence_p(same, 0.1) == 1.0
    assert seeds_to_decide(same, 0.1) == (None if pairs < 5 else max(pairs, fewest_signs()))
    assert seeds_to_decide([0.0] * pairs, 0.0) is None


def test_seeds_to_decide_is_the_first_number_with_a_chance_of_80_percent() -> None:
    """Against the chance written out, seed by seed: that many pairs have it, no fewer from those seen on."""
    shape = np.array([-1.2, -0.4, 0.1, 0.3, 1.2])
    shape /= shape.std(ddof=1)
    for mean, margin, level in ((0.5, 0.1, 0.95), (0.5, 0.1, 0.995), (0.1, 0.4, 0.95), (0.0, 0.3, 0.95)):
        found = seeds_to_decide(list(mean + shape), margin, level)
        assert found is not None
        assert [pairs for pairs in range(6, found + 1) if chance(mean, margin, level, pairs) >= 0.8] == [
            found
        ]


def chance(mean: float, margin: float, level: float, pairs: int, seen: int = 5) -> float:
    """Return how often the mean of ``pairs``, of which ``seen`` have this mean and spread 1, is decided."""
    luck = stats.norm(mean, np.sqrt(pairs - seen) / pairs)
    differs = max(margin, stats.t.ppf((1 + level) / 2, pairs - 1) / np.sqrt(pairs))
    within = max(0, margin - stats.t.ppf(max(level, 0.975), pairs - 1) / np.sqrt(pairs))
    return float(luck.sf(differs) + luck.cdf(-differs) + luck.cdf(within) - luck.cdf(-within))


def test_an_arm_that_is_decided_needs_no_more_seeds() -> None:
    """The number is that of the pairs seen."""
    assert seeds_to_decide([0.9, 1.0, 1.1, 1.04, 0.96], 0.1) == 5


def test_a_difference_on_the_margin_has_no_number_of_seeds() -> None:
    """Just below the margin, no affordable number of seeds would place the mean within it."""
    assert seeds_to_decide([0.29999, -0.21, 0.80998, 0.59999, -0.00001], 0.3) is None


# p of autorank 1.3.0 for two arms of ``luck + noise``, where it finds them normal and so compares their means
AUTORANK = {(1, 10, 0.004): 0.5563327556798512, (2, 20, 0.01): 0.0015971398443621508}
AUTORANK |= {(3, 5, 0.02): 0.20137421680313888, (5, 8, 0.012): 0.13611808425435315}


@pytest.mark.parametrize("study", AUTORANK)
def test_two_normal_arms_have_the_p_that_autorank_gives(study: tuple[int, int, float]) -> None:
    """Where it answers the same question, autorank says the same to 12 digits."""
    seed, pairs, effect = study
    rng = np.random.default_rng(seed)
    luck = rng.normal(0.9, 0.02, pairs)
    none = luck + rng.normal(0, 0.01, pairs)
    arm = luck + effect + rng.normal(0, 0.01, pairs)

    assert paired_interval(list(arm - none)).p == pytest.approx(AUTORANK[study], rel=1e-11)


def test_the_corrected_interval_is_students_widened_by_the_overlap() -> None:
    """By √(1 + n·test/train), with the p that belongs to it; with next to no test rows it is Student's."""
    d = list(DRAWS.normal(0.1, 0.2, 10))
    ours, student = resampled_interval(d, 80, 20), paired_interval(d)
    error = np.sqrt((1 / 10 + 1 / 4) * np.var(d, ddof=1))

    assert ours.high - ours.mean == pytest.approx(stats.t.ppf(0.975, 9) * error)
    assert ours.high - ours.low == pytest.approx((student.high - student.low) * np.sqrt(1 + 10 / 4))
    assert ours.p == pytest.approx(2 * stats.t.sf(abs(np.mean(d)) / error, 9))
    assert resampled_interval(d, 0.8, 0.2) == ours
    assert resampled_interval(d, 1, 1e-12).low == pytest.approx(student.low)
    assert (resampled_interval([0.4], 1, 1).high, resampled_interval([], 1, 1).p) == (inf, 1.0)


def test_the_bootstrap_is_the_same_twice_and_wants_enough_differences() -> None:
    """About as wide as Student's for normal differences, the point for equal ones, refused below twenty."""
    d = list(DRAWS.normal(0.1, 0.2, 40))
    ours, student = bootstrap_interval(d), paired_interval(d)

    assert ours == bootstrap_interval(d)
    assert (ours.low, ours.high) == pytest.approx((student.low, student.high), abs=0.03)
    assert bootstrap_interval([0.25] * 20).low == 0.25
    with pytest.raises(ParameterError, match="at least 20 for a bootstrap, got 10"):
        bootstrap_interval(d[:10])


def test_impossible_requests_are_refused() -> None:
    """A level outside 0 to 1 and a negative margin are named with what was expected."""
    with pytest.raises(ParameterError, match="between 0 and 1, got 95"):
        paired_interval([1.0, 2.0], level=95)
    with pytest.raises(ParameterError, match=r"at least 0, got -0\.1"):
        equivalence_p([1.0, 2.0], margin=-0.1)
    with pytest.raises(ParameterError, match="two numbers above 0, got 0 and 20"):
        resampled_interval([1.0, 2.0], 0, 20)

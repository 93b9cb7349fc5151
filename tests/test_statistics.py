"""The statistical promises, measured."""

from __future__ import annotations

from math import inf, isnan

import numpy as np
import pytest
from scipy import stats

from studylib.errors import ParameterError
from studylib.statistics import equivalence_p, holm, paired_interval, seeds_to_decide

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


@pytest.mark.parametrize("pairs", [5, 10, 20])
def test_95_percent_intervals_cover_95_percent(pairs: int) -> None:
    """The claim on the label, over 10 000 imaginary studies of normal differences."""
    draws = np.random.default_rng(pairs).normal(0.3, 1.0, (10_000, pairs))
    intervals = [paired_interval(row) for row in draws]
    covered = np.mean([interval.low <= 0.3 <= interval.high for interval in intervals])

    assert covered == pytest.approx(0.95, abs=0.01)


def test_a_percentile_bootstrap_of_five_pairs_covers_far_less_than_it_says() -> None:
    """Why there is no bootstrap here: it claims 95 % and holds the truth in fewer than 87 % of studies."""
    rng = np.random.default_rng(3)
    draws = rng.normal(0.3, 1.0, (2_000, 5))
    again = rng.integers(0, 5, (500, 5))
    low, high = np.quantile(draws[:, again].mean(-1), [0.025, 0.975], axis=1)

    assert 0.78 < np.mean((low <= 0.3) & (high >= 0.3)) < 0.87


def test_p_of_no_difference_is_uniform() -> None:
    """A p below α comes up with chance α, for every α tried."""
    draws = np.random.default_rng(8).normal(size=(10_000, 6))
    p = np.array([paired_interval(row).p for row in draws])

    for alpha in (0.01, 0.05, 0.2, 0.5):
        assert np.mean(p < alpha) == pytest.approx(alpha, abs=0.015)


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


def test_equivalence_is_claimed_wrongly_at_most_5_percent_of_the_time() -> None:
    """With the true difference on the margin, fewer than 5 % of studies (and some) find equivalence."""
    draws = np.random.default_rng(5).normal(1.0, 0.5, (10_000, 10))
    wrong = np.mean([equivalence_p(row, 1.0) < 0.05 for row in draws])

    assert 0.04 < wrong < 0.057


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


def test_holm_keeps_the_family_error_at_5_percent() -> None:
    """Among 10 true nulls at least one adjusted p is below 5 % in about 5 % of families."""
    families = np.random.default_rng(6).uniform(size=(5_000, 10))

    assert np.mean([min(holm(row)) < 0.05 for row in families]) == pytest.approx(0.05, abs=0.01)


def test_fewer_than_two_pairs_say_nothing() -> None:
    """No spread can be seen: the interval is the whole line, both p are 1."""
    none, one = paired_interval([]), paired_interval([0.4])

    assert isnan(none.mean)
    assert (one.mean, one.low, one.high, one.p) == (0.4, -inf, inf, 1.0)
    assert (none.low, none.high, none.p) == (-inf, inf, 1.0)
    assert equivalence_p([], 1.0) == equivalence_p([0.0], 1.0) == 1.0
    assert seeds_to_decide([0.4], 0.1) is None


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
    assert seeds_to_decide(same, 0.1) is None


@pytest.mark.parametrize("pairs", [2, 3, 5])
def test_few_seeds_of_a_small_test_set_do_not_make_certainty(pairs: int) -> None:
    """Differences counted in whole test rows are often all equal by chance; p < 5 % still comes up rarely."""
    rows = np.random.default_rng(pairs).normal(0, 2.5, (20_000, pairs)).round() / 360

    assert np.mean([paired_interval(row).p < 0.05 for row in rows]) < 0.06


def test_seeds_to_decide_is_the_first_number_that_decides() -> None:
    """That many pairs of the same mean and spread decide; one pair less does not."""
    for mean, margin, level in ((0.5, 0.1, 0.95), (0.5, 0.1, 0.995), (0.1, 0.4, 0.95), (0.0, 0.3, 0.95)):
        pairs = seeds_to_decide([mean - 1, mean, mean + 1], margin, level)
        assert pairs is not None
        for count, decided in ((pairs, True), (pairs - 1, False)):
            error = 1 / np.sqrt(count)
            if mean >= margin:
                reach = stats.t.ppf((1 + level) / 2, count - 1) * error
                assert (reach < mean) == decided
            else:
                assert (stats.t.sf((margin - mean) / error, count - 1) < min(1 - level, 0.025)) == decided


def test_a_difference_on_the_margin_has_no_number_of_seeds() -> None:
    """Just below the margin, no affordable number of seeds would place the mean within it."""
    assert seeds_to_decide([0.29999, -0.2, 0.79998], 0.3) is None


def test_impossible_requests_are_refused() -> None:
    """A level outside 0 to 1 and a negative margin are named with what was expected."""
    with pytest.raises(ParameterError, match="between 0 and 1, got 95"):
        paired_interval([1.0, 2.0], level=95)
    with pytest.raises(ParameterError, match=r"at least 0, got -0\.1"):
        equivalence_p([1.0, 2.0], margin=-0.1)

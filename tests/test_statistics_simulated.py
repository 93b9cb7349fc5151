"""The statistical promises, each held against studies that are drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from simulation import reach, t_p

from studylib.statistics import (
    bootstrap_interval,
    equivalence_p,
    holm,
    paired_interval,
    resampled_interval,
)

STUDIES = 40_000
SEEDS = (5, 10, 20)

Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, ...]], tuple[np.ndarray, float]]
ALPHA = 0.05


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """Draw normal differences; return their true mean, too, as all of these do."""
    return rng.normal(0.3, 1.0, shape), 0.3


def exponential(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """Draw differences of skewness 2."""
    return rng.exponential(size=shape), 1.0


def lognormal(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """Draw differences of skewness 6."""
    return rng.lognormal(size=shape), float(np.exp(0.5))


def shares_of_100(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """Draw differences of two shares of 100 rows, 90 % and 88 % right."""
    return (rng.binomial(100, 0.9, shape) - rng.binomial(100, 0.88, shape)) / 100, 0.02


def shares_near_1(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """Draw differences of a share of 100 rows that is 100 % and one that is 99.5 %."""
    return 1 - rng.binomial(100, 0.995, shape) / 100, 0.005


def shares_of_350(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """Draw differences of two shares of 350 rows, 99 % and 97 % right."""
    return (rng.binomial(350, 0.99, shape) - rng.binomial(350, 0.97, shape)) / 350, 0.02


def test_what_is_simulated_at_once_is_what_is_computed_one_by_one() -> None:
    """The arrays below follow the functions that reports use."""
    d, _ = normal(np.random.default_rng(1), (200, 7))
    one_by_one = [paired_interval(list(row)) for row in d]

    assert np.allclose(reach(d), [(one.high - one.low) / 2 for one in one_by_one])
    assert np.allclose(t_p(d), [one.p for one in one_by_one])


@pytest.mark.parametrize(
    ("draw", "stated"),
    [
        (normal, (0.950, 0.950, 0.950)),
        (shares_of_100, (0.950, 0.950, 0.950)),
        (shares_of_350, (0.950, 0.950, 0.950)),
        (shares_near_1, (0.911, 0.953, 0.939)),
        (exponential, (0.883, 0.900, 0.919)),
        (lognormal, (0.822, 0.840, 0.867)),
    ],
)
def test_95_percent_intervals_cover_what_is_stated(draw: Draw, stated: tuple[float, ...]) -> None:
    """95 ± 1 % (9 standard errors) for normal and bounded differences, less as stated for skewed ones."""
    for pairs, share in zip(SEEDS, stated, strict=True):
        d, truth = draw(np.random.default_rng(pairs), (STUDIES, pairs))
        covered = np.mean(np.abs(d.mean(1) - truth) <= reach(d) + 1e-12)

        assert covered == pytest.approx(share, abs=0.005)


def test_a_percentile_bootstrap_of_five_pairs_covers_far_less_than_it_says() -> None:
    """Why no verdict rests on a bootstrap: this one claims 95 % and holds the truth in fewer than 87 %."""
    rng = np.random.default_rng(3)
    draws = rng.normal(0.3, 1.0, (2_000, 5))
    again = rng.integers(0, 5, (500, 5))
    low, high = np.quantile(draws[:, again].mean(-1), [0.025, 0.975], axis=1)

    assert 0.78 < np.mean((low <= 0.3) & (high >= 0.3)) < 0.87


@pytest.mark.parametrize(("draw", "stated"), [(normal, 0.95), (exponential, 0.943)])
def test_the_bootstrap_covers_95_percent_where_it_is_allowed(draw: Draw, stated: float) -> None:
    """With 20 differences, the fewest, as stated up to two standard errors of this many samples."""
    d, truth = draw(np.random.default_rng(20), (400, 20))
    intervals = [bootstrap_interval(row) for row in d]

    assert np.mean([one.low <= truth <= one.high for one in intervals]) == pytest.approx(stated, abs=0.024)


def test_p_of_no_difference_is_uniform() -> None:
    """A p below α comes up with chance α, for every α tried."""
    p = t_p(np.random.default_rng(8).normal(size=(STUDIES, 6)))

    for alpha in (0.01, 0.05, 0.2, 0.5):
        assert np.mean(p < alpha) == pytest.approx(alpha, abs=0.008)


def test_equivalence_is_claimed_wrongly_at_most_5_percent_of_the_time() -> None:
    """With the true difference on the margin, fewer than 5 % of samples (and some) find equivalence."""
    draws = np.random.default_rng(5).normal(1.0, 0.5, (10_000, 10))
    wrong = np.mean([equivalence_p(row, 1.0) < ALPHA for row in draws])

    assert 0.04 < wrong < 0.057


def test_holm_keeps_the_family_error_at_5_percent() -> None:
    """Among 10 true nulls at least one adjusted p is below 5 % in about 5 % of families."""
    families = np.random.default_rng(6).uniform(size=(5_000, 10))

    assert np.mean([min(holm(row)) < ALPHA for row in families]) == pytest.approx(0.05, abs=0.01)


def ridge(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    """Return the weights (splits, features) that minimise mean squared error + strength·Σw²."""
    gram = np.einsum("sni,snj->sij", x, x) / x.shape[1] + strength * np.eye(x.shape[2])
    weights: np.ndarray = np.linalg.solve(gram, np.einsum("sni,sn->si", x, y)[..., None] / x.shape[1])[..., 0]
    return weights


def test_splits_of_one_pool_cover_new_data_less_than_they_say_and_the_correction_more() -> None:
    """Ridge against least squares, 20 splits of 200 rows: Student's 95 % is less, the corrected is more."""
    rng = np.random.default_rng(4)
    true = rng.normal(size=8) * 0.4

    def sample(*shape: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=(*shape, 8))
        return x, x @ true + rng.normal(size=shape) * 1.5

    x, y = sample(6_000, 100)
    truth = np.mean(((ridge(x, y, 0.3) - true) ** 2).sum(-1) - ((ridge(x, y, 0.0) - true) ** 2).sum(-1))
    held = []
    for _ in range(300):
        x, y = sample(200)
        order = np.argsort(rng.random((20, 200)), axis=1)
        train, test = order[:, :100], order[:, 100:]
        weights = [ridge(x[train], y[train], strength) for strength in (0.3, 0.0)]
        errors = [((np.einsum("sni,si->sn", x[test], w) - y[test]) ** 2).mean(1) for w in weights]
        both = (paired_interval(errors[0] - errors[1]), resampled_interval(errors[0] - errors[1], 100, 100))
        held.append([one.low <= truth <= one.high for one in both])
    student, corrected = np.mean(held, axis=0)

    assert 0.8 < student < 0.94
    assert corrected > 0.97

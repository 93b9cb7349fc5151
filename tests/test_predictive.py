"""The density that a model gives to a number: of one pass, and of several."""

from __future__ import annotations

import numpy as np
import pytest
from made_up import Prices
from scipy import optimize, stats

from studylib.models import CATALOGUE as MODELS
from studylib.regularizers import make
from studylib.trainers import gradient
from studylib.trainers._predictive import log_densities, noise_variance
from studylib.trainers.base import Training
from studylib.trainers.measures import supervised

SEEDS = range(4)


def drawn(seed: int, samples: int = 12, rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return what passes say of rows, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=rows)
    return truth + rng.normal(size=(samples, rows)) + 0.5 * rng.normal(size=rows), truth


@pytest.mark.parametrize("seed", SEEDS)
def test_densities_are_those_of_scipy(seed: int) -> None:
    """The mixture is the mean of SciPy's normal densities, and one pass is one of them."""
    passes, y = drawn(seed)
    for variance in (0.01, 0.7, 30.0):
        normal = stats.norm(passes, variance**0.5)
        mixed = log_densities(passes, y, variance)

        np.testing.assert_allclose(mixed, np.log(normal.pdf(y).mean(axis=0)), rtol=1e-9)
        np.testing.assert_allclose(log_densities(passes[:1], y, variance), normal.logpdf(y)[0], rtol=1e-12)
        assert (mixed >= normal.logpdf(y).mean(axis=0)).all(), "Jensen: the mixture is not below"


def test_a_row_that_all_passes_miss_by_far_has_a_finite_density() -> None:
    """A hundred standard deviations off costs 5 000 nats, which no density could say but its logarithm."""
    passes = np.full((3, 1), 100.0)

    assert log_densities(passes, np.zeros(1), 1.0) == pytest.approx(-5000 - np.log(2 * np.pi) / 2)


def test_many_rows_have_the_densities_of_a_few_at_a_time() -> None:
    """Whatever is looked at at once, each row has a density of its own."""
    passes, y = drawn(0, samples=3000, rows=3000)
    some = log_densities(passes[:, 1390:1410], y[1390:1410], 0.5)

    np.testing.assert_allclose(log_densities(passes, y, 0.5)[1390:1410], some, rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_noise_is_the_likeliest(seed: int) -> None:
    """For one pass it is the mean squared error; for several no variance on a fine grid does better."""
    passes, y = drawn(seed)
    found = noise_variance(passes, y)

    assert noise_variance(passes[:1], y) == pytest.approx(((passes[0] - y) ** 2).mean(), rel=1e-12)

    def unlikely(log_variance: float) -> float:
        return -float(log_densities(passes, y, float(np.exp(log_variance))).mean())

    peer = optimize.minimize_scalar(unlikely, bounds=(-8, 4), method="bounded", options={"xatol": 1e-9})
    assert unlikely(np.log(found)) <= peer.fun + 1e-9
    assert found == pytest.approx(np.exp(peer.x), rel=1e-3)


def test_what_is_met_exactly_keeps_a_finite_density() -> None:
    """A model without any error has a noise of a millionth of the target's deviation."""
    y = np.arange(5.0)

    assert noise_variance(y[None], y) == noise_variance(np.stack([y, y]), y) == 1e-12
    assert np.isfinite(log_densities(y[None], y, 1e-12)).all()


def test_passes_reach_the_measure() -> None:
    """The log-likelihood of a fit with Monte Carlo dropout is that of its passes, the RMSE of their mean."""
    split = Prices().split(0)
    arm = [make("dropout", rate=0.3), make("mc_dropout", samples=20)]
    trained = gradient.train(split, MODELS.example("mlp"), arm, Training(epochs=3), seed=0)
    measured, _ = supervised(trained.predictive, split)
    held, tested = (trained.predictive(part.x).passes[..., 0] for part in (split.validation, split.test))
    logs = log_densities(tested, split.test.y, noise_variance(held, split.validation.y))

    assert tested.shape == (20, len(split.test))
    assert measured["test_log_likelihood"] == pytest.approx(logs.mean() - np.log(split.target_scale))
    error = ((tested.mean(axis=0) - split.test.y) ** 2).mean() ** 0.5 * split.target_scale
    assert measured["test_rmse"] == pytest.approx(error, rel=1e-5)

"""The rescaled elastic net of Zou and Hastie, against closed forms and scikit-learn."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet as PeerElasticNet
from sklearn.linear_model import Lasso
from sklearn.preprocessing import scale

from studylib.datasets.base import Examples, Split
from studylib.errors import ParameterError
from studylib.params import study_params
from studylib.paths import coefficient_paths
from studylib.regularizers.elastic_net import ElasticNet
from studylib.regularizers.l2 import L2
from studylib.trainers import linear
from studylib.trainers.base import Training
from studylib.trainers.conversions import Strengths, to_sklearn_elastic_net

EXACT = Training(optimizer="exact", folds=4)


@cache
def diabetes() -> tuple[np.ndarray, np.ndarray]:
    """Return 442 rows of 10 standardised columns, and the standardised target."""
    x, y = load_diabetes(return_X_y=True)
    return scale(x), scale(y)


def peer(x: np.ndarray, y: np.ndarray, pair: Strengths) -> PeerElasticNet:
    """Return scikit-learn's elastic net, which is the naive one, at our strengths."""
    alpha, l1_ratio = to_sklearn_elastic_net(pair)
    return PeerElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-13, max_iter=10**6).fit(x, y)


def trained(x: np.ndarray, y: np.ndarray, *nets: ElasticNet | L2, outputs: int = 1) -> linear.Fitted:
    """Return what the exact trainer makes of the penalties on all rows."""
    few = Examples(x[:5], y[:5])
    return linear.train(Split(Examples(x, y), few, few, (x.shape[1],), outputs), [nets], EXACT, 0)


def test_with_uncorrelated_columns_the_rescaled_net_is_the_lasso() -> None:
    """Where XᵀX/n is the identity, w is sign(c)·max(|c| − λ₁/2, 0), c = Xᵀy/n: the ridge part is undone."""
    draws = np.random.default_rng(1)
    x = np.linalg.qr(scale(draws.normal(size=(60, 8))))[0] * 60**0.5
    y = scale(draws.normal(size=60) + x[:, 0])
    c = x.T @ y / 60
    soft = np.sign(c) * np.maximum(np.abs(c) - 0.06, 0)

    rescaled = trained(x, y, ElasticNet(strength=0.4, mix=0.3, form="rescaled"))
    assert rescaled.weights == pytest.approx(soft, abs=1e-10)
    assert trained(x, y, ElasticNet(strength=0.4, mix=0.3)).weights == pytest.approx(soft / 1.28, abs=1e-10)
    assert 0 < np.count_nonzero(soft) < 8


def test_the_rescaled_net_is_that_of_scikit_learn_times_one_plus_lambda() -> None:
    """Weights are those of ElasticNet times 1 + λ·(1 − mix); predictions keep the mean of the target."""
    x, y = diabetes()
    x, y = x + np.arange(10), 3 * y + 7
    ours = trained(x, y, ElasticNet(strength=0.5, mix=0.4, form="rescaled"))

    assert ours.weights == pytest.approx(1.3 * peer(x, y, Strengths(0.2, 0.3)).coef_, abs=1e-7)
    assert ours.predict(x).mean() == pytest.approx(y.mean(), abs=1e-9)


def test_the_rescaled_net_is_that_of_the_paper_in_its_own_scaling() -> None:
    """A lasso on augmented rows (Lemma 1), columns of sum of squares 1; λ₂ is ours, λ₁ √n times ours."""
    x, y = diabetes()
    (n, p), lambda1, lambda2 = x.shape, 2.0, 0.3
    rows = np.vstack([x / n**0.5, lambda2**0.5 * np.eye(p)]) / (1 + lambda2) ** 0.5
    alpha = lambda1 / (1 + lambda2) ** 0.5 / (2 * (n + p))
    lasso = Lasso(alpha=alpha, fit_intercept=False, tol=1e-14, max_iter=10**6)
    lasso.fit(rows, np.append(y, np.zeros(p)))
    total = lambda1 / n**0.5 + lambda2
    ours = trained(x, y, ElasticNet(strength=total, mix=1 - lambda2 / total, form="rescaled")).weights

    assert n**0.5 * ours == pytest.approx((1 + lambda2) ** 0.5 * lasso.coef_, abs=1e-7)
    assert 0 < (ours == 0).sum() < p


def test_only_its_own_ridge_part_is_undone() -> None:
    """Beside an l2 penalty, the factor is that of the net alone; a naive net has none."""
    x, y = diabetes()
    both = trained(x, y, ElasticNet(strength=0.5, mix=0.4, form="rescaled"), L2(strength=0.2))

    assert both.weights == pytest.approx(1.3 * peer(x, y, Strengths(0.2, 0.5)).coef_, abs=1e-7)
    assert linear.stretch_of([ElasticNet(strength=0.5, mix=0.4), L2(strength=9.0)], "squared") == 1


def test_cross_validation_scores_the_rescaled_net_as_rescaled() -> None:
    """Scores are those of scikit-learn's weights times the factor, about the means of the kept rows."""
    x, y = diabetes()
    x, y = x[:80], y[:80]
    pairs, stretches = [Strengths(0.1, 0.5), Strengths(0.1, 2.0)], [1.5, 1.0]
    ours = linear.cross_validate(x, y, pairs, 4, np.random.default_rng(3), "squared", stretches)
    errors = np.zeros(2)
    for held in np.array_split(np.random.default_rng(3).permutation(80), 4):
        kept = np.setdiff1d(np.arange(80), held)
        for i, pair in enumerate(pairs):
            slopes = stretches[i] * peer(x[kept], y[kept], pair).coef_
            guess = y[kept].mean() + (x[held] - x[kept].mean(axis=0)) @ slopes
            errors[i] += ((guess - y[held]) ** 2).sum() / 80

    assert ours.scores == pytest.approx(errors, abs=1e-8)


def test_the_path_of_the_rescaled_net_is_that_of_the_naive_one_times_the_factor() -> None:
    """A figure of coefficients over strengths shows what is predicted with."""
    grid = {"strength": [0.01, 0.1, 1.0], "mix": 0.25}
    arms = {"naive": {"elastic_net": grid}, "rescaled": {"elastic_net": {**grid, "form": "rescaled"}}}
    paths = coefficient_paths(study_params("tabular", arms=arms))["paths"]

    factors = 1 + 0.75 * np.array(grid["strength"])
    np.testing.assert_allclose(paths["rescaled"], factors[:, None] * paths["naive"], rtol=1e-12)


def test_the_rescaled_net_is_refused_for_classes() -> None:
    """The paper defines it for least squares; the message names the setting."""
    x, y = diabetes()

    with pytest.raises(ParameterError, match=r"elastic_net\.form 'rescaled'.*regressions only"):
        trained(x, (y > 0).astype(int), ElasticNet(strength=0.5, mix=0.4, form="rescaled"), outputs=2)

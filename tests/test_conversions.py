"""Each conversion is proven by solving with the package that it converts to."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from scipy.optimize import fmin_l_bfgs_b, minimize
from scipy.special import log_softmax
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.preprocessing import scale

from studylib.errors import ParameterError
from studylib.trainers.conversions import (
    Strengths,
    from_glmnet_binomial,
    from_glmnet_gaussian,
    from_sklearn_elastic_net,
    from_sklearn_lasso,
    from_sklearn_logistic,
    from_sklearn_ridge,
    from_torch_weight_decay,
    from_two_class_softmax,
    to_glmnet_binomial,
    to_glmnet_gaussian,
    to_sklearn_elastic_net,
    to_sklearn_lasso,
    to_sklearn_logistic,
    to_sklearn_ridge,
    to_torch_weight_decay,
    to_two_class_softmax,
)
from studylib.trainers.linear import solve

if TYPE_CHECKING:
    from collections.abc import Callable

    Smooth = Callable[[np.ndarray], tuple[float, np.ndarray]]

PAIRS = [Strengths(0.3, 0.0), Strengths(0.0, 0.2), Strengths(0.05, 0.02), Strengths(1e-9, 7.0)]
every_pair = pytest.mark.parametrize("pair", PAIRS)


def regression() -> tuple[np.ndarray, np.ndarray]:
    """Return 442 standardised rows and a target of variance 1."""
    x, y = load_diabetes(return_X_y=True)
    return scale(x), scale(y)


def classes() -> tuple[np.ndarray, np.ndarray]:
    """Return 569 rows of six standardised columns, and classes 0 and 1."""
    x, y = load_breast_cancer(return_X_y=True)
    return scale(x[:, [0, 1, 4, 8, 10, 20]]), y


def minimise_mixed(loss_and_slope: Smooth, x: np.ndarray, strength: float, share: float) -> np.ndarray:
    """Minimise mean loss + strength·(share·Σ|w| + ½(1 − share)·Σw²) with w = u − v, u and v at least 0."""
    p = x.shape[1]

    def objective(uvb: np.ndarray) -> tuple[float, np.ndarray]:
        w, size = uvb[:p] - uvb[p:-1], uvb[:-1].sum()
        loss, slope = loss_and_slope(x @ w + uvb[-1])
        pull = slope @ x + strength * (1 - share) * w
        value = loss + strength * (share * size + (1 - share) / 2 * w @ w)
        return value, np.concatenate([pull + strength * share, strength * share - pull, [slope.sum()]])

    bounds: list[tuple[float | None, float | None]] = [(0, None)] * (2 * p) + [(None, None)]
    uvb, _, _ = fmin_l_bfgs_b(
        objective, np.zeros(2 * p + 1), bounds=bounds, factr=0.1, pgtol=1e-10, maxiter=10_000, maxfun=100_000
    )
    return np.asarray(uvb[:p] - uvb[p:-1])


@every_pair
def test_there_and_back_is_where_one_was(pair: Strengths) -> None:
    """Every pair of functions is a function and its inverse."""
    assert from_sklearn_elastic_net(*to_sklearn_elastic_net(pair)) == pytest.approx(pair, rel=1e-7)
    assert from_sklearn_logistic(*to_sklearn_logistic(pair, 50), 50) == pytest.approx(pair, rel=1e-7)
    assert from_glmnet_gaussian(*to_glmnet_gaussian(pair)) == pytest.approx(pair, rel=1e-7)
    assert from_glmnet_binomial(*to_glmnet_binomial(pair)) == pytest.approx(pair, rel=1e-7)
    assert from_two_class_softmax(to_two_class_softmax(pair)) == pair
    assert from_sklearn_lasso(to_sklearn_lasso(pair.l1)) == (pair.l1, 0)
    assert from_sklearn_ridge(to_sklearn_ridge(pair.l2, 50), 50) == pytest.approx((0, pair.l2))
    assert from_torch_weight_decay(to_torch_weight_decay(pair.l2)) == (0, pair.l2)


def test_no_penalty_is_no_penalty_everywhere() -> None:
    """Zero strengths have a name in each package, and C is infinite."""
    assert to_sklearn_elastic_net(Strengths(0, 0)) == (0, 0)
    assert to_glmnet_binomial(Strengths(0, 0)) == (0, 0)
    assert to_sklearn_logistic(Strengths(0, 0), 10) == (inf, 0)
    assert from_sklearn_logistic(inf, 0.0, 10) == (0, 0)


def test_lasso_is_ours() -> None:
    """Lasso(alpha) has the weights of l1 = 2·alpha."""
    x, y = regression()
    pair = from_sklearn_lasso(0.1)
    peer = Lasso(alpha=0.1, tol=1e-12).fit(x, y)

    assert solve(x, y, l1=pair.l1, l2=pair.l2, loss="squared").weights == pytest.approx(peer.coef_, abs=1e-9)


def test_ridge_is_ours() -> None:
    """Ridge(alpha) sums its losses: it has the weights of l2 = alpha/n."""
    x, y = regression()
    pair = from_sklearn_ridge(30.0, len(y))
    peer = Ridge(alpha=30.0).fit(x, y)

    assert solve(x, y, l1=pair.l1, l2=pair.l2, loss="squared").weights == pytest.approx(peer.coef_, abs=1e-9)


def test_elastic_net_is_ours() -> None:
    """ElasticNet(alpha, l1_ratio) halves its loss and its squares."""
    x, y = regression()
    pair = from_sklearn_elastic_net(0.2, 0.3)
    peer = ElasticNet(alpha=0.2, l1_ratio=0.3, tol=1e-12).fit(x, y)

    assert solve(x, y, l1=pair.l1, l2=pair.l2, loss="squared").weights == pytest.approx(peer.coef_, abs=1e-9)


@pytest.mark.parametrize("l1_ratio", [0.0, 0.4, 1.0])
def test_logistic_regression_is_ours(l1_ratio: float) -> None:
    """LogisticRegression(C, l1_ratio) weighs the sum of its losses by C."""
    x, y = classes()
    pair = from_sklearn_logistic(0.05, l1_ratio, len(y))
    peer = LogisticRegression(
        C=0.05, l1_ratio=l1_ratio, solver="saga", tol=1e-10, max_iter=10_000, random_state=0
    )
    ours = solve(x, y, l1=pair.l1, l2=pair.l2, loss="logistic")

    assert ours.weights == pytest.approx(peer.fit(x, y).coef_[0], abs=1e-7)
    assert ours.intercept == pytest.approx(peer.intercept_[0], abs=1e-7)


def test_sgd_with_weight_decay_ends_at_ridge() -> None:
    """The weight decay of torch.optim.SGD is twice our l2 under the mean loss."""
    x, y = (torch.from_numpy(a) for a in regression())
    w = torch.zeros(10, dtype=torch.float64, requires_grad=True)
    sgd = torch.optim.SGD([w], lr=0.1, weight_decay=to_torch_weight_decay(0.2))
    for _ in range(400):
        sgd.zero_grad()
        (y - x @ w).square().mean().backward()
        sgd.step()
    ours = solve(x.numpy(), y.numpy(), l1=0, l2=0.2, loss="squared")

    assert ours.weights == pytest.approx(w.detach().numpy(), abs=1e-9)


@pytest.mark.parametrize("pair", PAIRS[:3])
def test_glmnet_s_objectives_are_ours(pair: Strengths) -> None:
    """A general optimiser on the objectives that glmnet documents ends at our weights."""
    x, y = regression()
    gaussian = minimise_mixed(
        lambda z: (((z - y) ** 2).mean() / 2, (z - y) / len(y)), x, *to_glmnet_gaussian(pair)
    )
    assert solve(x, y, l1=pair.l1, l2=pair.l2, loss="squared").weights == pytest.approx(gaussian, abs=1e-5)

    x, t = classes()
    binomial = minimise_mixed(
        lambda z: ((np.logaddexp(0, z) - t * z).mean(), (1 / (1 + np.exp(-z)) - t) / len(t)),
        x,
        *to_glmnet_binomial(pair),
    )
    assert solve(x, t, l1=pair.l1, l2=pair.l2, loss="logistic").weights == pytest.approx(binomial, abs=1e-5)


def test_a_softmax_of_two_classes_is_ours() -> None:
    """A weight vector per class with twice our l2 ends at ±w/2, with our intercept as the difference."""
    x, t = classes()
    _, l2 = to_two_class_softmax(Strengths(0, 0.01))

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = flat[:12].reshape(6, 2), flat[12:]
        logs = log_softmax(x @ w + b, axis=1)
        slope = (np.exp(logs) - np.eye(2)[t]) / len(t)
        value = -logs[np.arange(len(t)), t].mean() + l2 * (w**2).sum()
        return value, np.concatenate([(x.T @ slope + 2 * l2 * w).ravel(), slope.sum(axis=0)])

    flat = minimize(objective, np.zeros(14), jac=True, options={"gtol": 1e-10}, method="BFGS").x
    ours = solve(x, t, l1=0, l2=0.01, loss="logistic")

    assert flat[:12].reshape(6, 2) == pytest.approx(np.outer(ours.weights, [-0.5, 0.5]), abs=1e-6)
    assert flat[13] - flat[12] == pytest.approx(ours.intercept, abs=1e-6)


def test_impossible_numbers_are_refused_by_name() -> None:
    """Negative strengths, shares outside of 0 to 1, and a C of 0 are told apart."""
    with pytest.raises(ParameterError, match="l1: expected a finite number of at least 0, got -1"):
        to_sklearn_lasso(-1.0)
    with pytest.raises(ParameterError, match=r"l1_ratio: expected a number from 0 to 1, got 1\.5"):
        from_sklearn_elastic_net(1.0, 1.5)
    with pytest.raises(ParameterError, match="C: expected a number above 0"):
        from_sklearn_logistic(0.0, 0.5, 10)

"""Where gradient training ends: closed forms, scikit-learn, and our own exact trainer."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from made_up import Measures, Prices
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet as PeerElasticNet
from sklearn.linear_model import Lasso
from sklearn.preprocessing import scale

from studylib.datasets.base import Examples, Split
from studylib.models.linear import Linear
from studylib.regularizers import make
from studylib.trainers import gradient, linear
from studylib.trainers.base import Training
from studylib.trainers.conversions import (
    Strengths,
    to_sklearn_elastic_net,
    to_sklearn_lasso,
    to_two_class_softmax,
)

if TYPE_CHECKING:
    from studylib.regularizers.base import Regularizer

L1, MIX = 0.2, 0.6

every_optimizer = pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd", "learning_rate": 0.2, "epochs": 500},
        {"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "epochs": 400},
        {"optimizer": "adamw", "learning_rate": 0.05, "epochs": 600},
    ],
    ids=["sgd", "momentum", "adamw"],
)


@cache
def diabetes() -> Split:
    """Return 442 rows of 10 standardised columns and the standardised target; all of them train."""
    x, y = load_diabetes(return_X_y=True)
    train = Examples(scale(x), scale(y))
    few = Examples(train.x[:5], train.y[:5])
    return Split(train, few, few, (10,), 1)


def trained(split: Split, regularizers: list[Regularizer], settings: dict[str, Any]) -> gradient.Trained:
    """Return the linear model that full batches lead to, in float64."""
    training = Training(batch_size=len(split.train), precision="float64", **settings)
    return gradient.train(split, Linear(), regularizers, training, seed=0)


def weights(result: gradient.Trained) -> np.ndarray:
    """Return the weights, shape (outputs, features)."""
    w: np.ndarray = result.module.get_parameter("output.weight").detach().numpy()
    return w


def bias(result: gradient.Trained) -> np.ndarray:
    """Return the intercepts, shape (outputs,)."""
    b: np.ndarray = result.module.get_parameter("output.bias").detach().numpy()
    return b


def lasso() -> np.ndarray:
    """Return scikit-learn's solution at strength ``L1``."""
    train = diabetes().train
    peer = Lasso(alpha=to_sklearn_lasso(L1), tol=1e-14, max_iter=10**6).fit(train.x, train.y)
    coefficients: np.ndarray = peer.coef_
    return coefficients


@every_optimizer
def test_l1_ends_at_the_lasso(settings: dict[str, Any]) -> None:
    """The weights are scikit-learn's, and exactly the same of them are zero."""
    result, peer = trained(diabetes(), [make("l1", strength=L1)], settings), lasso()

    np.testing.assert_allclose(weights(result)[0], peer, rtol=0, atol=1e-9)
    assert ((weights(result)[0] == 0) == (peer == 0)).all()
    assert 0 < (peer == 0).sum() < 10
    assert abs(bias(result)[0]) < 1e-9


@every_optimizer
def test_the_elastic_net_ends_at_scikit_learns(settings: dict[str, Any]) -> None:
    """The weights are scikit-learn's, and exactly the same of them are zero."""
    result = trained(diabetes(), [make("elastic_net", strength=L1, mix=MIX)], settings)
    alpha, l1_ratio = to_sklearn_elastic_net(Strengths(L1 * MIX, L1 * (1 - MIX)))
    peer = PeerElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-14, max_iter=10**6)
    peer.fit(diabetes().train.x, diabetes().train.y)

    np.testing.assert_allclose(weights(result)[0], peer.coef_, rtol=0, atol=1e-9)
    assert ((weights(result)[0] == 0) == (peer.coef_ == 0)).all()
    assert 0 < (peer.coef_ == 0).sum() < 10


@every_optimizer
def test_l2_ends_at_ridge_regression(settings: dict[str, Any]) -> None:
    """The weights are (XᵀX/n + λ·1)⁻¹·Xᵀy/n, for mean (y − ŷ)² + λ·Σw² on centred data."""
    x, y = diabetes().train.x, diabetes().train.y
    ridge = np.linalg.solve(x.T @ x / len(y) + 0.3 * np.eye(10), x.T @ y / len(y))
    result = trained(diabetes(), [make("l2", strength=0.3)], settings)

    np.testing.assert_allclose(weights(result)[0], ridge, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("optimizer", "distance"),
    [
        (lambda w: torch.optim.Adam([w], lr=0.01), 0.1),
        (lambda w: torch.optim.SGD([w], lr=0.01, momentum=0.9), 0.05),
    ],
    ids=["adam", "momentum"],
)
def test_a_prox_with_the_bare_learning_rate_would_end_elsewhere(optimizer: Any, distance: float) -> None:
    """Soft thresholding by learning rate × λ after a step that scales gradients settles at a wrong point."""
    x, y = map(torch.from_numpy, (diabetes().train.x, diabetes().train.y))
    w = torch.zeros(10, dtype=torch.float64, requires_grad=True)
    steps = optimizer(w)
    before = w.detach().clone()
    for _ in range(1000):
        before.copy_(w.detach())
        steps.zero_grad()
        (y - x @ w).square().mean().backward()
        steps.step()
        with torch.no_grad():
            w.copy_(w.sign() * (w.abs() - 0.01 * L1).clamp(min=0))

    assert (w.detach() - before).abs().max() < 1e-3  # it has settled
    assert np.abs(w.detach().numpy() - lasso()).max() > distance


@pytest.mark.parametrize("name", ["l1", "l2", "elastic_net"])
def test_a_regression_ends_where_the_exact_trainer_is(name: str) -> None:
    """One objective: the gradient finds the weights and the free intercept that the exact solver finds."""
    split = Prices().split(0)
    penalty = make(name, strength=0.1, **({"mix": 0.5} if name == "elastic_net" else {}))
    result = trained(split, [penalty], {"learning_rate": 0.05, "epochs": 700})
    exact = linear.train(split, [[penalty]], Training(optimizer="exact"), seed=0)

    np.testing.assert_allclose(weights(result)[0], exact.weights, rtol=0, atol=1e-8)
    np.testing.assert_allclose(bias(result)[0], exact.intercept, rtol=0, atol=1e-8)
    np.testing.assert_allclose(result.predict(split.test.x)[:, 0], exact.predict(split.test.x), atol=1e-7)


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_two_classes_end_where_the_exact_trainer_is(name: str) -> None:
    """The difference of a softmax's two weight vectors is the logistic regression's, strengths converted."""
    split = Measures().split(0)
    ours = to_two_class_softmax(Strengths(0.05, 0.05))
    penalty = make(name, strength=ours.l1 if name == "l1" else ours.l2)
    result = trained(split, [penalty], {"learning_rate": 0.05, "epochs": 900})
    exact = linear.train(split, [[make(name, strength=0.05)]], Training(optimizer="exact"), seed=0)

    np.testing.assert_allclose(np.diff(weights(result), axis=0)[0], exact.weights, rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.diff(bias(result))[0], exact.intercept, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("l1", {"strength": 5.0}),
        ("l2", {"strength": 5.0}),
        ("elastic_net", {"strength": 5.0, "mix": 0.5}),
        ("weight_decay", {"strength": 12.0}),
        ("max_norm", {"limit": 0.1}),
    ],
)
def test_the_intercept_is_free(name: str, settings: dict[str, float]) -> None:
    """However small the weights are made, the intercept is the mean that is left to explain."""
    split = Prices().split(0)
    result = trained(
        split, [make(name, **settings)], {"optimizer": "sgd", "learning_rate": 0.05, "epochs": 500}
    )
    explained = split.train.x @ weights(result)[0]

    assert np.linalg.norm(weights(result)) < 0.25
    np.testing.assert_allclose(bias(result)[0], (split.train.y - explained).mean(), rtol=0, atol=1e-9)
    assert bias(result)[0] > 2.5

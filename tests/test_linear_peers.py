"""The exact linear solver beside scikit-learn and a published path."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import ElasticNet as PeerElasticNet
from sklearn.linear_model import Lasso, LogisticRegression, Ridge
from sklearn.preprocessing import scale

from studylib.trainers.conversions import (
    to_sklearn_elastic_net,
    to_sklearn_lasso,
    to_sklearn_logistic,
    to_sklearn_ridge,
)
from studylib.trainers.linear import (
    Strengths,
    largest_strength,
    path,
    solve,
)

if TYPE_CHECKING:
    from collections.abc import Callable


Rows = tuple[np.ndarray, np.ndarray]
STRENGTHS = (Strengths(0.5, 0), Strengths(0.01, 0), Strengths(0.1, 0.1), Strengths(0.01, 0.001))


@cache
def diabetes() -> Rows:
    """Return 442 rows of 10 standardised columns, and the standardised target."""
    x, y = load_diabetes(return_X_y=True)
    return scale(x), scale(y)


@cache
def breast_cancer() -> Rows:
    """Return 569 rows of 30 standardised columns, some correlated beyond .99, and two classes."""
    x, y = load_breast_cancer(return_X_y=True)
    return scale(x), y


@pytest.mark.parametrize("l1", [1.0, 0.3, 0.03, 0.003])
def test_lasso_is_that_of_scikit_learn(l1: float) -> None:
    """On diabetes, weights and intercept equal those of Lasso at half of our strength."""
    x, y = diabetes()
    peer = Lasso(to_sklearn_lasso(l1), tol=1e-12, max_iter=100_000).fit(x, y)
    ours = solve(x, y, l1=l1, l2=0, loss="squared")

    assert ours.weights == pytest.approx(peer.coef_, abs=1e-8)
    assert ours.intercept == pytest.approx(peer.intercept_, abs=1e-8)
    assert (ours.weights == 0).tolist() == (peer.coef_ == 0).tolist()


@pytest.mark.parametrize("l2", [10.0, 0.1, 1e-3, 1e-6])
def test_ridge_is_that_of_scikit_learn(l2: float) -> None:
    """On diabetes, weights and intercept equal those of Ridge at n times our strength."""
    x, y = diabetes()
    peer = Ridge(to_sklearn_ridge(l2, len(y)), solver="cholesky").fit(x, y)
    ours = solve(x, y, l1=0, l2=l2, loss="squared")

    assert ours.weights == pytest.approx(peer.coef_, abs=1e-9)
    assert ours.intercept == pytest.approx(peer.intercept_, abs=1e-9)


@pytest.mark.parametrize("pair", STRENGTHS)
@pytest.mark.parametrize("rows", [diabetes, breast_cancer])
def test_elastic_net_is_that_of_scikit_learn(rows: Callable[[], Rows], pair: Strengths) -> None:
    """Weights and intercept equal those of ElasticNet, correlated columns or not."""
    x, y = rows()
    alpha, l1_ratio = to_sklearn_elastic_net(pair)
    peer = PeerElasticNet(alpha, l1_ratio=l1_ratio, tol=1e-13, max_iter=1_000_000).fit(x, y)
    ours = solve(x, y, l1=pair.l1, l2=pair.l2, loss="squared")

    assert ours.weights == pytest.approx(peer.coef_, abs=1e-6)
    assert ours.intercept == pytest.approx(peer.intercept_, abs=1e-6)


@pytest.mark.parametrize(
    ("pair", "solver"),
    [
        (Strengths(0, 1.0), "newton-cholesky"),
        (Strengths(0, 0.01), "newton-cholesky"),
        (Strengths(0, 1e-5), "newton-cholesky"),
        (Strengths(0.1, 0), "saga"),
        (Strengths(0.01, 0), "saga"),
        (Strengths(0.05, 0.05), "saga"),
        (Strengths(0.001, 0.001), "saga"),
    ],
)
def test_logistic_regression_is_that_of_scikit_learn(pair: Strengths, solver: str) -> None:
    """On breast_cancer, weights and intercept equal those of LogisticRegression."""
    x, y = breast_cancer()
    c, l1_ratio = to_sklearn_logistic(pair, len(y))
    peer = LogisticRegression(
        C=c, l1_ratio=l1_ratio, solver=solver, tol=1e-12, max_iter=100_000, random_state=0
    )
    peer.fit(x, y)
    ours = solve(x, y, l1=pair.l1, l2=pair.l2, loss="logistic")

    assert ours.weights == pytest.approx(peer.coef_[0], abs=1e-6)
    assert ours.intercept == pytest.approx(peer.intercept_[0], abs=1e-6)


def test_logistic_regression_without_a_penalty_is_that_of_scikit_learn() -> None:
    """Where the classes overlap, the maximum of the likelihood is found."""
    x, y = breast_cancer()
    x = x[:, [1, 4, 8, 9]]
    peer = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12).fit(x, y)
    ours = solve(x, y, l1=0, l2=0, loss="logistic")

    assert ours.weights == pytest.approx(peer.coef_[0], abs=1e-8)


def test_the_diabetes_path_is_the_published_one() -> None:
    """Order of entry and Σ|w| at the 12 breakpoints are those of Efron et al. (2004)."""
    x, y = load_diabetes(return_X_y=True)
    names = load_diabetes().feature_names
    top = largest_strength(x, y, 1.0, "squared")
    weights = path(x, y, np.append(np.geomspace(top, top / 5000, 4000), 0).tolist(), 1.0, "squared")
    entry = np.argmax(weights != 0, axis=0)
    changes = np.flatnonzero((np.diff(np.sign(weights), axis=0) != 0).any(axis=1))
    length = np.abs(weights).sum(axis=1)

    order = [names[i] for i in np.argsort(entry)]
    assert order == ["bmi", "s5", "bp", "s3", "sex", "s6", "s1", "s4", "s2", "age"]
    published = [0, 60.1, 663.7, 888.9, 1250.7, 1440.8, 1537.1, 1914.6, 2115.7, 2195.8, 2802.4, 2863.0]
    assert length[changes] == pytest.approx(np.array(published), abs=6)
    assert length[-1] == pytest.approx(3460.0, abs=0.05)
    assert names[np.flatnonzero((weights[changes[10]] != 0) & (weights[changes[10] + 1] == 0))[0]] == "s3"

"""The exact solver of more than two classes: optimality, two classes as a special case, peers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import scale

from studylib.errors import Divergence, ParameterError
from studylib.trainers.conversions import from_two_class_softmax, to_sklearn_logistic
from studylib.trainers.linear import (
    ClassCoefficients,
    Strengths,
    cross_validate,
    largest_strength,
    path,
    solve,
    solve_classes,
)

Rows = tuple[np.ndarray, np.ndarray]
PAIRS = (
    Strengths(0.05, 0),
    Strengths(0.001, 0),
    Strengths(0.01, 0.01),
    Strengths(0, 0.1),
    Strengths(0, 1e-4),
)


@cache
def wine() -> Rows:
    """Return 178 rows of 13 standardised columns, and three classes."""
    x, y = load_wine(return_X_y=True)
    return scale(x), y


def drawn(rows: int, columns: int, classes: int, noise: float = 1.0) -> Rows:
    """Return rows whose class is the largest of their first columns, but for noise."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, columns))
    return x, (x[:, :classes] + noise * generator.normal(size=(rows, classes))).argmax(axis=1)


def missed(x: np.ndarray, y: np.ndarray, model: ClassCoefficients, pair: Strengths) -> float:
    """Return by how much the optimality conditions are missed at most, columns having unit variance."""
    slope = (softmax(x @ model.weights.T + model.intercept, axis=1) - np.eye(y.max() + 1)[y]) / len(y)
    pull = slope.T @ x + 2 * pair.l2 * model.weights
    at_zero = np.maximum(np.abs(pull) - pair.l1, 0)
    by_weight = np.where(model.weights == 0, at_zero, np.abs(pull + pair.l1 * np.sign(model.weights)))
    return float(max(by_weight.max(), np.abs(slope.sum(axis=0)).max()))


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("shape", [(178, 13, 3), (60, 8, 5), (30, 400, 3)])
def test_optimality_conditions_hold(shape: tuple[int, int, int], pair: Strengths) -> None:
    """Long or wide: −slope is l1·sign(w) + 2·l2·w, within ±l1 where w is zero, and 0 for each intercept."""
    x, y = wine() if shape == (178, 13, 3) else drawn(*shape)
    ours = solve_classes(x, y, l1=pair.l1, l2=pair.l2)

    assert missed(x, y, ours, pair) < 1e-9
    assert ours.intercept.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("pair", PAIRS[:4])
def test_it_is_that_of_scikit_learn(pair: Strengths) -> None:
    """On wine, weights and intercepts are those of LogisticRegression."""
    x, y = wine()
    c, l1_ratio = to_sklearn_logistic(pair, len(y))
    solver = "saga" if pair.l1 else "newton-cg"
    peer = LogisticRegression(
        C=c, l1_ratio=l1_ratio, solver=solver, tol=1e-9, max_iter=20_000, random_state=0
    )
    peer.fit(x, y)
    ours = solve_classes(x, y, l1=pair.l1, l2=pair.l2)

    assert ours.weights == pytest.approx(peer.coef_, abs=1e-4)
    assert ours.intercept == pytest.approx(peer.intercept_ - peer.intercept_.mean(), abs=1e-4)


def test_two_classes_are_a_special_case() -> None:
    """Their two vectors are ±w/2 of the log-odds' w, at strengths in the scaling of that."""
    x, y = drawn(80, 4, 2)
    ours = solve_classes(x, y, l1=0.02, l2=0.03)
    pair = from_two_class_softmax(Strengths(0.02, 0.03))
    odds = solve(x, y, l1=pair.l1, l2=pair.l2, loss="logistic")

    assert ours.weights[1] - ours.weights[0] == pytest.approx(odds.weights, abs=1e-7)
    assert ours.intercept[1] - ours.intercept[0] == pytest.approx(odds.intercept, abs=1e-7)


def test_the_largest_strength_is_where_the_first_weight_appears() -> None:
    """At λmax no column weighs anything, at 0.999·λmax one does."""
    x, y = wine()
    top = largest_strength(x, y, 1.0, "softmax")

    assert np.count_nonzero(path(x, y, [top, 0.999 * top], 1.0, "softmax"), axis=1).tolist() == [0, 1]


def test_cross_validation_counts_every_row_once() -> None:
    """Scores are the mean held-out log-losses of cold solutions on the same folds."""
    x, y = wine()
    pairs = [Strengths(0.01, 0), Strengths(0, 0.01)]
    ours = cross_validate(x, y, pairs, 3, np.random.default_rng(0), "softmax")
    expected = np.zeros(2)
    for held in np.array_split(np.random.default_rng(0).permutation(len(y)), 3):
        for i, (l1, l2) in enumerate(pairs):
            model = solve_classes(np.delete(x, held, 0), np.delete(y, held), l1=l1, l2=l2)
            chances = softmax(model.scores(x[held]), axis=1)[np.arange(len(held)), y[held]]
            expected[i] -= np.log(chances).sum() / len(y)

    assert ours.scores == pytest.approx(expected, abs=1e-7)


def test_classes_that_overlap_need_no_penalty() -> None:
    """The maximum of the likelihood is found."""
    x, y = drawn(300, 5, 3, noise=1.5)
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y)

    assert solve_classes(x, y, l1=0, l2=0).weights == pytest.approx(peer.coef_, abs=1e-4)


def test_one_separated_class_is_enough_to_need_a_penalty() -> None:
    """Setosa stands apart in iris, the other two overlap: the error says what to add."""
    x, y = load_iris(return_X_y=True)
    with pytest.raises(Divergence, match="Add a penalty, for example l2"):
        solve_classes(scale(x), y, l1=0, l2=0)

    assert np.isfinite(solve_classes(scale(x), y, l1=0, l2=1e-6).weights).all()


def test_what_numbers_no_class_is_refused() -> None:
    """Classes are whole numbers from 0."""
    with pytest.raises(ParameterError, match="numbered from 0"):
        solve_classes(np.eye(3), [0, 1, 2.5], l1=1, l2=0)

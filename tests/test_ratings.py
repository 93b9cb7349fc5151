"""Ratings: the two trainers against closed forms and each other, and what is measured of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from studylib.datasets.base import Examples, Split
from studylib.errors import ParameterError
from studylib.models._networks import RatingNetwork
from studylib.models.linear import Linear
from studylib.models.matrix_factorization import MatrixFactorization
from studylib.regularizers import make
from studylib.regularizers.base import Regularizer
from studylib.trainers import alternating, ratings
from studylib.trainers._rated import Rated
from studylib.trainers._ridge import Side, ridge
from studylib.trainers.base import Training
from studylib.trainers.recommendations import FIFTHS, rated

USERS, ITEMS = 25, 18  # of which the last of each never is in train
DEFINITIONS = ("interaction", "batch", "full")


def drawn(seed: int = 0) -> Split:
    """Return 250 ratings of 24 users and 17 items, and others of which some are of neither."""
    rng = np.random.default_rng(seed)
    known = rng.permutation(np.argwhere(np.ones((USERS - 1, ITEMS - 1))))
    pairs = np.concatenate([known, [[USERS - 1, 3], [2, ITEMS - 1], [USERS - 1, ITEMS - 1]]])
    p, q = rng.normal(size=(USERS, 2)), rng.normal(size=(ITEMS, 2))
    values = 3 + p[:, 0][pairs[:, 0]] / 2 + (p[pairs[:, 0]] * q[pairs[:, 1]]).sum(1)
    values = (values + rng.normal(0, 0.3, len(pairs))).clip(0.5, 5).round(1)
    parts = (slice(250), slice(250, 320), slice(320, None))
    train, validation, test = (Examples(pairs[part], values[part]) for part in parts)
    return Split(train, validation, test, (USERS, ITEMS), 1)


SPLIT = drawn()


def weights(network: RatingNetwork) -> dict[str, np.ndarray]:
    """Return factors and biases, μ left out."""
    names = {"rows.weight": "p", "items.weight": "q", "row_bias": "b", "item_bias": "c"}
    return {names[name]: w.detach().numpy() for name, w in network.named_parameters()}


def solved(definition: str, epochs: int, *, factors: int = 3, **settings: Any) -> Rated:
    """Return what alternating least squares has after so many sweeps."""
    penalty = make("embedding_l2", definition=definition, **settings)
    training = Training(optimizer="exact", epochs=epochs)
    return alternating.train(SPLIT, MatrixFactorization(factors=factors), [penalty], training, seed=1)


def strength(definition: str, λ: float) -> float:
    """Return a strength that is about as strong by another definition."""
    return {"interaction": λ / 12, "batch": λ, "full": λ / 250}[definition]


def prices(definition: str, side: int, λ: float) -> np.ndarray:
    """Return what the square of each row's vector costs in the sum of all squared errors."""
    counts = np.bincount(SPLIT.train.x[:, side], minlength=SPLIT.inputs[side])
    every = np.full_like(counts, counts.sum())
    weight: dict[str, np.ndarray] = {
        "interaction": counts,
        "batch": np.minimum(counts, 1),
        "full": every,
    }
    return λ * weight[definition]


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_a_sweep_solves_the_normal_equations_of_each_item(definition: str) -> None:
    """After a sweep bias and factors of every item are (XᵀX + Λ)⁻¹Xᵀy of its own ratings, written by hand."""
    λ = strength(definition, 2.0)
    w = weights(solved(definition, 4, strength=λ, biases=λ / 2).network)
    (rows, items), y = SPLIT.train.x.T, SPLIT.train.y - SPLIT.train.y.mean()
    cost = prices(definition, 1, λ)
    for item in range(ITEMS - 1):
        own = items == item
        x = np.column_stack([np.ones(own.sum()), w["p"][rows[own]]])
        target = y[own] - w["b"][rows[own], 0]
        gram = x.T @ x + cost[item] * np.diag([0.5, 1, 1, 1])
        expected = np.linalg.solve(gram, x.T @ target)

        np.testing.assert_allclose(np.append(w["c"][item], w["q"][item]), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_no_sweep_raises_the_objective(definition: str) -> None:
    """Squared errors plus prices fall with every sweep, and never rise."""
    λ = strength(definition, 1.0)
    costs = [prices(definition, side, λ) for side in (0, 1)]
    seen = []
    for epochs in range(1, 6):
        result = solved(definition, epochs, strength=λ)
        w = weights(result.network)
        errors = result.predict(SPLIT.train.x) - SPLIT.train.y
        squares = ((w[v] ** 2).sum(1) + (w[b] ** 2).sum(1) for v, b in (("p", "b"), ("q", "c")))
        seen.append((errors**2).sum() + sum(c @ s for c, s in zip(costs, squares, strict=True)))

    assert all(np.diff(seen) <= 1e-9)
    assert seen[-1] < seen[0]


def test_biases_alone_are_a_ridge_regression_on_who_and_what() -> None:
    """Without factors the solution is that of scikit-learn's Ridge on indicators of row and item."""
    w = weights(solved("batch", 60, factors=0, strength=3.0).network)
    indicators = np.zeros((250, USERS + ITEMS))
    for place, (row, item) in enumerate(SPLIT.train.x):
        indicators[place, [row, USERS + item]] = 1
    peer = Ridge(3.0, fit_intercept=False).fit(indicators, SPLIT.train.y - SPLIT.train.y.mean())

    np.testing.assert_allclose(np.append(w["b"], w["c"]), peer.coef_, rtol=0, atol=1e-10)


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_steps_and_sweeps_meet_where_the_objective_is_convex(definition: str) -> None:
    """With biases alone gradient descent on all ratings ends where alternating least squares does."""
    λ = strength(definition, 4.0)
    penalty = make("embedding_l2", strength=λ, definition=definition)
    training = Training(epochs=400, batch_size=250, optimizer="sgd", learning_rate=3.0, precision="float64")
    stepped = ratings.train(SPLIT, MatrixFactorization(factors=0), [penalty], training, seed=1)
    swept = solved(definition, 60, factors=0, strength=λ)
    for part in (SPLIT.train, SPLIT.test):
        np.testing.assert_allclose(stepped.predict(part.x), swept.predict(part.x), rtol=0, atol=1e-7)


def test_a_ridge_in_the_cases_is_the_ridge_in_the_weights() -> None:
    """With fewer cases than weights the same solution is found by the smaller system."""
    rng = np.random.default_rng(0)
    x, y, cost = (torch.from_numpy(rng.normal(size=size)) for size in ((4, 3, 6), (4, 3), (4, 6)))
    for one in range(4):
        gram = x[one].T @ x[one] + torch.diag(cost[one].abs())
        expected = torch.linalg.solve(gram, x[one].T @ y[one])

        torch.testing.assert_close(ridge(x, y, cost.abs())[one], expected, rtol=1e-9, atol=1e-9)


def test_every_interaction_of_a_row_is_in_one_batch() -> None:
    """Rows are batched with others of about as many partners, and nobody fills the rest."""
    rng = np.random.default_rng(1)
    own = np.concatenate([np.repeat(row, size) for row, size in enumerate([0, 1, 2, 7, 17, 18, 40])])
    other, values = rng.integers(0, 50, len(own)), rng.normal(size=len(own))
    side = Side(torch.from_numpy(own), torch.from_numpy(other), torch.from_numpy(values), 7)
    found: Counter[tuple[int, int, float]] = Counter()
    for rows, others, targets in side.batches(3):
        for row, partners, each in zip(rows.tolist(), others.tolist(), targets.tolist(), strict=True):
            assert all(v == 0 for p, v in zip(partners, each, strict=True) if p == -1)
            found.update((row, p, v) for p, v in zip(partners, each, strict=True) if p != -1)

    assert found == Counter(zip(own.tolist(), other.tolist(), values.tolist(), strict=True))


@pytest.mark.parametrize("technique", [None, make("gradient_noise", std=0.1), make("ema", decay=0.5)])
def test_what_train_never_saw_has_biases_of_what_it_knows_alone(technique: Regularizer | None) -> None:
    """An unknown item is rated μ + b_row, an unknown row μ + b_item, and both unknown μ."""
    own = [technique] if technique else []
    training = Training(epochs=3, batch_size=32, learning_rate=0.05, precision="float64")
    for result in (
        ratings.train(SPLIT, MatrixFactorization(factors=3), own, training, seed=1),
        solved("interaction", 3, strength=0.1),
    ):
        w, mean = weights(result.network), SPLIT.train.y.mean()
        pairs = np.array([[2, ITEMS - 1], [USERS - 1, 3], [USERS - 1, ITEMS - 1]])
        expected = [mean + w["b"][2, 0], mean + w["c"][3, 0], mean]

        np.testing.assert_allclose(result.predict(pairs), expected, rtol=0, atol=1e-12)


def test_metrics_are_those_of_scikit_learn_within_the_range_of_train() -> None:
    """RMSE and mean absolute error are a peer's, of predictions that are no more than train has seen."""
    result = solved("batch", 5, strength=0.5)
    measured, _ = rated(result.predict, SPLIT)
    low, high = SPLIT.train.y.min(), SPLIT.train.y.max()
    for name, part in (("train", SPLIT.train), ("validation", SPLIT.validation), ("test", SPLIT.test)):
        raw = result.predict(part.x)
        said = np.clip(raw, low, high)

        assert measured[f"{name}_rmse"] == pytest.approx(root_mean_squared_error(part.y, said), rel=1e-12)
        assert measured[f"{name}_mae"] == pytest.approx(mean_absolute_error(part.y, said), rel=1e-12)
        assert measured[f"{name}_loss"] == pytest.approx(((raw - part.y) ** 2).mean(), rel=1e-12)
    assert measured["validation_loss"] == pytest.approx(result.validation_loss[-1], rel=1e-12)
    assert measured["test_unseen_share"] == pytest.approx(3 / len(SPLIT.test))


def test_errors_by_fifths_are_what_one_counts() -> None:
    """The tested items are ordered by their train ratings and cut in five; so are the tested rows."""
    result = solved("batch", 2, strength=0.5)
    _, curves = rated(result.predict, SPLIT)
    said = result.predict(SPLIT.test.x).clip(SPLIT.train.y.min(), SPLIT.train.y.max())
    for side, name in ((0, "error_by_user_activity"), (1, "error_by_item_popularity")):
        counts = Counter(SPLIT.train.x[:, side].tolist())
        tested = sorted(set(SPLIT.test.x[:, side].tolist()), key=lambda own: (counts[own], own))
        squares: list[list[float]] = [[] for _ in range(FIFTHS)]
        for own, value, truth in zip(SPLIT.test.x[:, side].tolist(), said, SPLIT.test.y, strict=True):
            squares[tested.index(own) * FIFTHS // len(tested)].append((value - truth) ** 2)
        expected = [np.mean(some) ** 0.5 for some in squares]

        np.testing.assert_allclose(curves[name], expected, rtol=1e-12)


def test_early_stopping_keeps_the_best_sweep() -> None:
    """Least squares stops by the validation loss, and keeps what it had when that was lowest."""
    training = Training(optimizer="exact", epochs=60)
    own = [make("embedding_l2", strength=0.01, definition="batch"), make("early_stopping", patience=3)]
    stopped = alternating.train(SPLIT, MatrixFactorization(factors=3), own, training, seed=1)
    best = int(np.argmin(stopped.validation_loss)) + 1

    assert stopped.best_epoch == best < len(stopped.validation_loss) == best + 3
    shorter = solved("batch", best, strength=0.01)
    assert np.array_equal(stopped.predict(SPLIT.test.x), shorter.predict(SPLIT.test.x))


def test_what_is_no_factorization_is_refused() -> None:
    """A network of another kind rates nothing."""
    with pytest.raises(
        ParameterError, match="ratings are learnt by matrix_factorization, not by the model linear"
    ):
        ratings.train(SPLIT, Linear(), [], Training(), seed=0)

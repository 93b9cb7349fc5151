"""Laws of the exact linear solver: optimality, paths, and what has no solution."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from studylib.errors import Divergence, ParameterError
from studylib.trainers.linear import (
    Coefficients,
    Loss,
    Strengths,
    largest_strength,
    path,
    solve,
)

Rows = tuple[np.ndarray, np.ndarray]
LOSSES: tuple[Loss, ...] = ("squared", "logistic")
every_loss = pytest.mark.parametrize("loss", LOSSES)


def random_rows(rows: int, columns: int, loss: Loss, seed: int = 0) -> Rows:
    """Return a few signals in noise; the columns have units from 1/30 to 30 and levels other than 0."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, columns))
    y = x[:, : min(3, columns)].sum(axis=1) + 2 * generator.normal(size=rows)
    unit = np.exp(generator.uniform(-3.4, 3.4, columns))
    return x * unit + generator.normal(size=columns), y if loss == "squared" else (y > 0).astype(float)


def slope(x: np.ndarray, y: np.ndarray, model: Coefficients, loss: Loss) -> np.ndarray:
    """Return the derivative of the loss by the score of each row, over n."""
    z = x @ model.weights + model.intercept
    return np.asarray(2 * (z - y) if loss == "squared" else 1 / (1 + np.exp(-z)) - y) / len(y)


def objective(x: np.ndarray, y: np.ndarray, model: Coefficients, pair: Strengths, loss: Loss) -> float:
    """Return mean loss + l1·Σ|w| + l2·Σw²."""
    z = x @ model.weights + model.intercept
    losses = (y - z) ** 2 if loss == "squared" else np.logaddexp(0, z) - y * z
    w = model.weights
    return float(losses.mean() + pair.l1 * np.abs(w).sum() + pair.l2 * (w @ w))


def missed(x: np.ndarray, y: np.ndarray, model: Coefficients, pair: Strengths, loss: Loss) -> float:
    """Return by how much the optimality conditions are missed, relative to the spread of each column."""
    s, w = slope(x, y, model, loss), model.weights
    pull = s @ (x - x.mean(axis=0)) + 2 * pair.l2 * w
    at_zero = np.maximum(np.abs(pull) - pair.l1, 0)
    by_column = np.where(w == 0, at_zero, np.abs(pull + pair.l1 * np.sign(w)))
    spread = np.maximum(x.std(axis=0), 1e-300)
    return float(max((by_column / spread).max(), abs(s.sum())) / max(1.0, y.std()))


@every_loss
@pytest.mark.parametrize("shape", [(60, 5), (40, 40), (15, 80), (8, 1200), (5, 1)])
@pytest.mark.parametrize("share", [0.9, 0.1, 1e-3, 1e-6])
def test_optimality_conditions_hold(loss: Loss, shape: tuple[int, int], share: float) -> None:
    """Wide or long, in any unit: −slope is l1·sign(w) + 2·l2·w, and within ±l1 where w is zero."""
    for seed in range(3):
        x, y = random_rows(*shape, loss, seed)
        top = largest_strength(x, y, 1.0, loss)
        for pair in (Strengths(share * top, 0), Strengths(share * top, 0.1 * share * top)):
            ours = solve(x, y, l1=pair.l1, l2=pair.l2, loss=loss)

            assert missed(x, y, ours, pair, loss) < 1e-10


@every_loss
@pytest.mark.parametrize("share", [0.5, 1e-2, 1e-5])
def test_copies_and_constant_columns_do_no_harm(loss: Loss, share: float) -> None:
    """With every column three times and two constant ones, the objective is that of the distinct columns."""
    x, y = random_rows(50, 6, loss)
    crowded = np.column_stack([x, x, np.full(50, 0.1), x, np.full(50, 1e6)])
    pair = Strengths(share * largest_strength(x, y, 1.0, loss), 0)
    plain = solve(x, y, l1=pair.l1, l2=0, loss=loss)
    ours = solve(crowded, y, l1=pair.l1, l2=0, loss=loss)

    assert missed(crowded, y, ours, pair, loss) < 1e-9
    assert objective(crowded, y, ours, pair, loss) == pytest.approx(
        objective(x, y, plain, pair, loss), rel=1e-10
    )
    assert ours.weights[[12, 19]].tolist() == [0, 0]


@every_loss
def test_a_constant_column_gets_no_weight(loss: Loss) -> None:
    """What rounding leaves of it less its mean is not fitted; a start that has a weight there loses it."""
    x, y = random_rows(60, 2, loss)
    plain = solve(x, y, l1=0, l2=0, loss=loss)
    ours = solve(np.column_stack([np.full(60, 0.1), x, np.full(60, 1e6 / 3)]), y, l1=0, l2=0, loss=loss)

    start = Coefficients(np.ones(4), 0.0)
    sparse = solve(np.column_stack([np.ones(60), x, np.ones(60)]), y, l1=0.01, l2=0, loss=loss, start=start)
    assert sparse.weights[[0, 3]].tolist() == [0, 0]
    assert ours.weights[[0, 3]].tolist() == [0, 0]
    assert ours.weights[1:3] == pytest.approx(plain.weights, rel=1e-9)


@every_loss
def test_a_constant_column_gets_no_weight_from_ridge(loss: Loss) -> None:
    """Nor does what rounding leaves of it keep the solver from the optimum of many columns."""
    x, y = random_rows(20, 300, loss)
    ours = solve(np.column_stack([x, np.full((20, 50), 0.3)]), y, l1=0, l2=0.01, loss=loss)

    assert not ours.weights[300:].any()
    assert ours.weights[:300] == pytest.approx(solve(x, y, l1=0, l2=0.01, loss=loss).weights, abs=1e-10)


@pytest.mark.parametrize("seed", [*range(30), 244, 927, 953])
def test_ties_lead_the_solver_in_no_circle(seed: int) -> None:
    """Whole-numbered tables end at their optimum from near and far.

    The last three seeds trap a search that lets weights enter while others still fall to zero.
    """
    generator = np.random.default_rng(seed)
    x = np.round(generator.normal(size=(35, 96)))
    y = np.round(generator.normal(size=35))
    top = largest_strength(x, y, 1.0, "squared")
    for pair in (Strengths(0.1 * top, 0.01 * top), Strengths(0.01 * top, 0)):
        cold = solve(x, y, l1=pair.l1, l2=pair.l2, loss="squared")
        far = Coefficients(100 * generator.normal(size=96), 0.0)
        warm = solve(x, y, l1=pair.l1, l2=pair.l2, loss="squared", start=far)

        assert max(missed(x, y, cold, pair, "squared"), missed(x, y, warm, pair, "squared")) < 1e-10
        expected = objective(x, y, cold, pair, "squared")
        assert objective(x, y, warm, pair, "squared") == pytest.approx(expected, rel=1e-10)


@every_loss
@pytest.mark.parametrize("mix", [1.0, 0.3])
def test_the_largest_strength_is_where_the_first_weight_appears(loss: Loss, mix: float) -> None:
    """At λmax all weights are zero, at 0.999·λmax one is not."""
    x, y = random_rows(40, 60, loss)
    top = largest_strength(x, y, mix, loss)
    weights = path(x, y, [top, 0.999 * top], mix, loss)

    assert np.count_nonzero(weights, axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("shape", [(50, 8), (20, 35)])
def test_ridge_solves_the_normal_equations(shape: tuple[int, int]) -> None:
    """On centred data, (XᵀX/n + λ₂·I)·w = Xᵀy/n."""
    x, y = random_rows(*shape, "squared")
    centred, target = x - x.mean(axis=0), y - y.mean()
    normal = centred.T @ centred / len(y) + 0.3 * np.eye(shape[1])
    ours = solve(x, y, l1=0, l2=0.3, loss="squared")

    assert ours.weights == pytest.approx(np.linalg.solve(normal, centred.T @ target / len(y)), rel=1e-8)
    assert ours.intercept == pytest.approx(y.mean() - x.mean(axis=0) @ ours.weights)


@pytest.mark.parametrize("shape", [(50, 8), (20, 35)])
def test_least_squares_without_a_penalty_is_the_shortest(shape: tuple[int, int]) -> None:
    """With more columns than rows there are many solutions; the one of least length is returned."""
    x, y = random_rows(*shape, "squared")
    expected = np.linalg.pinv(x - x.mean(axis=0)) @ (y - y.mean())
    ours = solve(x, y, l1=0, l2=0, loss="squared")

    assert ours.weights == pytest.approx(expected, rel=1e-8, abs=1e-10)
    assert ours.weights == pytest.approx(LinearRegression().fit(x, y).coef_, rel=1e-6, abs=1e-8)


@every_loss
def test_a_path_is_many_cold_solutions(loss: Loss) -> None:
    """A warm start changes the time, not the weights; the order of the strengths is kept."""
    x, y = random_rows(60, 20, loss)
    strengths = largest_strength(x, y, 0.8, loss) * np.array([0.01, 0.9, 0.2, 0.05, 0.001])
    warm = path(x, y, strengths.tolist(), 0.8, loss)
    cold = [solve(x, y, l1=0.8 * s, l2=0.2 * s, loss=loss).weights for s in strengths]

    assert warm == pytest.approx(np.array(cold), abs=1e-8)
    assert (warm == 0).tolist() == (np.array(cold) == 0).tolist()


@every_loss
def test_the_intercept_is_free(loss: Loss) -> None:
    """With all weights zero the intercept alone fits the mean of y."""
    x, y = random_rows(30, 5, loss)
    ours = solve(x, y + 5 if loss == "squared" else y, l1=1e6, l2=0, loss=loss)
    fitted = ours.intercept - 5 if loss == "squared" else 1 / (1 + np.exp(-ours.intercept))

    assert fitted == pytest.approx(y.mean(), abs=1e-12)
    assert not ours.weights.any()


@pytest.mark.parametrize("columns", [1, 3, 60])
def test_separated_classes_need_a_penalty(columns: int) -> None:
    """Separated rows, by one column or because columns outnumber rows: the error says what to add."""
    x, _ = random_rows(40, columns, "logistic")
    y = x[:, 0] > np.median(x[:, 0])
    with pytest.raises(Divergence, match="Add a penalty, for example l2"):
        solve(x, y, l1=0, l2=0, loss="logistic")

    assert np.isfinite(solve(x, y, l1=0, l2=1e-9, loss="logistic").weights).all()
    assert np.isfinite(solve(x, y, l1=1e-7, l2=0, loss="logistic").weights).all()


def test_rows_on_the_separating_hyperplane_do_not_hide_it() -> None:
    """A column that is 1 in a single class only has no finite weight, though other rows overlap."""
    x, y = random_rows(100, 2, "logistic")
    rare = np.zeros(100)
    rare[np.flatnonzero(y)[:4]] = 1
    with pytest.raises(Divergence, match="Add a penalty"):
        solve(np.column_stack([x, rare]), y, l1=0, l2=0, loss="logistic")


def test_large_but_finite_odds_are_a_solution() -> None:
    """A far-out row gets log-odds beyond 10 without being taken for separation."""
    x, y = random_rows(100, 2, "logistic")
    plain = solve(x, y, l1=0, l2=0, loss="logistic").weights
    x[0], y[0] = 30 * plain / (plain @ plain), 1
    ours = solve(x, y, l1=0, l2=0, loss="logistic")

    assert np.abs(x @ ours.weights + ours.intercept).max() > 10
    assert missed(x, y, ours, Strengths(0, 0), "logistic") < 1e-9


def test_a_single_class_is_refused() -> None:
    """No intercept is large enough for rows of one class, with or without a penalty."""
    with pytest.raises(Divergence, match="both classes"):
        solve(np.eye(3), np.ones(3), l1=1, l2=1, loss="logistic")


@pytest.mark.parametrize(
    ("x", "y", "l1", "loss", "message"),
    [
        ([[1.0], [2.0]], [1.0, 2.0], -1.0, "squared", "strengths of at least 0"),
        ([[1.0], [np.nan]], [1.0, 2.0], 0.0, "squared", "finite numbers"),
        ([[1.0], [1e200]], [1.0, 2.0], 0.0, "squared", r"below 1e\+100"),
        ([[1.0], [2.0]], [1.0, 2.0, 3.0], 0.0, "squared", r"\(2, 1\) and y \(3,\)"),
        ([1.0, 2.0], [1.0, 2.0], 0.0, "squared", "a table x"),
        ([[1.0], [2.0]], [1.0, 2.0], 0.0, "logistic", "classes 0 and 1"),
    ],
)
def test_wrong_requests_are_refused(
    x: list[float], y: list[float], l1: float, loss: Loss, message: str
) -> None:
    """Each message says what was expected."""
    with pytest.raises(ParameterError, match=message):
        solve(x, y, l1=l1, l2=0, loss=loss)


def test_no_strength_of_ridge_makes_a_zero() -> None:
    """The largest strength of a mix without an l1 part does not exist."""
    with pytest.raises(ParameterError, match="mix"):
        largest_strength(np.eye(3), np.arange(3), mix=0.0, loss="squared")

"""Folds that are held out all at once give the losses of folds that are held out one by one."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes

from studylib.paths import breakpoints
from studylib.trainers import _blocks
from studylib.trainers.linear import Coefficients, Strengths, cross_validate, largest_strength, solve

Rows = tuple[np.ndarray, np.ndarray]
MIXES = (1.0, 0.5)


def drawn(rows: int, columns: int) -> Rows:
    """Return columns of level 5 that correlate with their neighbours, and a target of every fourth."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(rows, columns + 1))
    x = x[:, 1:] + 0.5 * x[:, :-1] + 5
    return x, x[:, ::4].sum(axis=1) + generator.normal(size=rows)


def one_by_one(x: np.ndarray, y: np.ndarray, pairs: list[Strengths], folds: int) -> list[float]:
    """Return the mean held-out squared error of cold solutions, fold by fold."""
    total = np.zeros(len(pairs))
    for held in np.array_split(np.random.default_rng(1).permutation(len(y)), folds):
        for i, (l1, l2) in enumerate(pairs):
            model = solve(np.delete(x, held, 0), np.delete(y, held), l1=l1, l2=l2, loss="squared")
            total[i] += ((y[held] - model.scores(x[held])) ** 2).sum() / len(y)
    return [float(loss) for loss in total]


def grid(x: np.ndarray, y: np.ndarray) -> list[Strengths]:
    """Return pairs of two mixes in no order, and one without an l1 part."""
    top = largest_strength(x, y, 1.0, "squared")
    mixed = [Strengths(s * top * m, s * top * (1 - m)) for s in (0.02, 0.9, 0.2, 0.05) for m in MIXES]
    return [*mixed, Strengths(0, 0.1)]


@pytest.mark.parametrize("shape", [(40, 1100), (60, 30), (30, 60)])
def test_few_weights_are_exact(shape: tuple[int, int]) -> None:
    """Wide or long, with copies of columns among them, to nine digits."""
    x, y = drawn(*shape)
    x = np.column_stack([x, x[:, :3]])
    pairs = grid(x, y)
    ours = cross_validate(x, y, pairs, 5, np.random.default_rng(1), "squared")

    assert ours.scores == pytest.approx(one_by_one(x, y, pairs, 5), rel=1e-9)


def test_many_weights_are_near() -> None:
    """Beyond 120 weights a duality gap of a millionth is enough: losses agree to a thousandth."""
    x, y = drawn(400, 250)
    top = largest_strength(x, y, 1.0, "squared")
    pairs = [Strengths(s * top / 2, s * top / 2) for s in np.geomspace(1, 0.003, 15)]
    ours = cross_validate(x, y, pairs, 4, np.random.default_rng(1), "squared")

    assert np.count_nonzero(solve(x, y, l1=pairs[-1].l1, l2=pairs[-1].l2, loss="squared").weights) > 120
    assert ours.scores == pytest.approx(one_by_one(x, y, pairs, 4), rel=1e-3)


def test_a_column_that_varies_in_held_out_rows_alone_costs_no_digits() -> None:
    """A rare mark, or a wild value, in one row: the rest of the column is no difference of large sums."""
    x, y = drawn(60, 8)
    x[7, 0] = 1e9
    x[:, 1] = np.arange(60) == 11
    pairs = grid(x, y)[:4]
    ours = cross_validate(x, y, pairs, 5, np.random.default_rng(1), "squared")

    assert ours.scores == pytest.approx(one_by_one(x, y, pairs, 5), rel=1e-7)


def test_stretches_multiply_the_weights_of_each_candidate() -> None:
    """A rescaled net is judged as it would be used, wide or long."""
    for shape in ((40, 1100), (60, 30)):
        x, y = drawn(*shape)
        pair = grid(x, y)[5]
        ours = cross_validate(x, y, [pair, pair], 4, np.random.default_rng(1), "squared", [1.0, 1.3])
        expected = 0.0
        for held in np.array_split(np.random.default_rng(1).permutation(len(y)), 4):
            rows = np.delete(x, held, 0)
            model = solve(rows, np.delete(y, held), l1=pair.l1, l2=pair.l2, loss="squared")
            expected += ((y[held] - model.stretched(1.3, rows).scores(x[held])) ** 2).sum() / len(y)

        assert ours.scores[1] == pytest.approx(expected, rel=1e-9)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table in float32, walked through block by block, has the solutions of one that is kept whole."""
    x, y = drawn(200, 6)
    x = x.astype(np.float32)
    classes = (y > np.median(y)).astype(float)
    whole = [_solutions(x, y), _solutions(x, classes)]
    monkeypatch.setattr(_blocks, "FEW", 0)
    monkeypatch.setattr(_blocks, "NUMBERS", 100)

    for before, after in zip(whole, [_solutions(x, y), _solutions(x, classes)], strict=True):
        for one, other in zip(before, after, strict=True):
            assert other.weights == pytest.approx(one.weights, rel=1e-8, abs=1e-10)
            assert other.intercept == pytest.approx(one.intercept, rel=1e-8)


def _solutions(x: np.ndarray, y: np.ndarray) -> list[Coefficients]:
    if set(np.unique(y)) == {0, 1}:
        return [solve(x, y, l1=l1, l2=0.01, loss="logistic") for l1 in (0.0, 0.01)]
    return [solve(x, y, l1=l1, l2=l2, loss="squared") for l1, l2 in ((0.0, 0.0), (0.0, 0.1), (0.1, 0.01))]


def test_the_breakpoints_of_diabetes_are_those_printed() -> None:
    """Twelve, to the digit of Efron et al. (2004); s3 leaves at the eleventh and returns at the last."""
    bunch = load_diabetes()
    found = breakpoints(bunch.data, bunch.target)
    names = bunch.feature_names
    printed = [0, 60.1, 663.7, 888.9, 1250.7, 1440.8, 1537.1, 1914.6, 2115.7, 2195.8, 2802.4, 2863.0]

    assert [round(point.length, 1) for point in found] == printed
    assert [names[j] for point in found for j in point.entering] == [
        *("bmi", "s5", "bp", "s3", "sex", "s6", "s1", "s4", "s2", "age", "s3"),
    ]
    assert [[names[j] for j in point.leaving] for point in found] == [*([[]] * 10), ["s3"], []]

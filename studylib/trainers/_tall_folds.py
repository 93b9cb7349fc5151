"""Cross-validated least squares with no more columns than rows: products of columns, less the held-out."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, final

import numpy as np

from studylib.trainers._blocks import slices
from studylib.trainers._curvature import Array, Gram, Indices
from studylib.trainers._quadratic import PRECISION, Quadratic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from studylib.trainers._least_squares import WeightedLeastSquares
    from studylib.trainers.conversions import Strengths

MANY = 120  # weights from which coordinates are descended one by one: a Newton step costs the cube of them
STRETCH = 4  # pairs that are solved before columns without a weight are looked at again
AHEAD = 0.75  # of λ₁: a column whose correlation is as large may soon have a weight
SLACK = 1 + 1e-6
GAP = 1e-6  # then: duality gap, relative to Σy² of the centred target
LOST = 1e-6  # of a column's variance, left without the held-out rows: below it, digits are lost


@final
class TallFolds:
    """Rows of which each fold holds out some, as they are summed up in the ``task`` of all of them."""

    def __init__(self, task: WeightedLeastSquares, y: Array) -> None:
        self._table, self._y = task.table, y - task.level
        half = len(y) / 2  # the task has a mean, in a loss without a factor ½
        self._variances: Array = task.products.diagonal()
        self._products = half * task.products
        self._linear = half * task.linear
        self._size = float(self._y @ self._y)

    def losses(self, held: Indices, pairs: Sequence[Strengths], factors: Array) -> Array | None:
        """Return Σ(y − ŷ)² over the ``held`` rows for each pair, or None if subtracting costs digits.

        Args:
            pairs: strongest first, each with λ₁ > 0.
            factors: what the weights of each pair are multiplied by.
        """
        problem = self.without(held)
        before = self._variances
        if (problem.hessian.diagonal <= LOST * before)[before > 0].any():
            return None
        weights = problem.solutions(pairs).T * factors
        total = np.zeros(len(pairs))
        for rows, y in self._blocks(held):
            rest = (rows - problem.centre) @ weights
            rest -= (y - problem.level)[:, None]
            total += np.einsum("ij,ij->j", rest, rest)
        return total

    def _blocks(self, held: Indices) -> Iterator[tuple[Array, Array]]:
        for some in slices(len(held), self._table.shape[1]):
            yield self._table.taken(held[some]), self._y[held[some]]

    def without(self, held: Indices) -> FoldProblem:
        """Return the problem of the rows that are not ``held``: sums over all of them, less these."""
        from scipy.linalg.blas import dger

        kept = len(self._y) - len(held)
        matrix, linear = self._products, self._linear.copy()
        size, centre, level = self._size, np.zeros(len(linear)), 0.0
        for rows, y in self._blocks(held):
            products = rows.T @ rows
            # of the first block the memory becomes that of the difference
            into = products if matrix is self._products else matrix
            matrix = np.subtract(matrix, products, out=into)
            linear -= y @ rows
            size -= float(y @ y)
            centre -= rows.sum(axis=0) / kept
            level -= float(y.sum()) / kept
        dger(-kept, centre, centre, a=matrix.T, overwrite_a=1)  # in place, for it is symmetric
        matrix *= 2 / kept
        linear = 2 / kept * linear - 2 * level * centre
        return FoldProblem(matrix, linear, max(2 / kept * size - 2 * level**2, 0.0), centre, level)


@final
class FoldProblem:
    """½wᵀHw − cᵀw of rows with a ``centre`` and a ``level`` of their own."""

    def __init__(self, matrix: Array, linear: Array, size: float, centre: Array, level: float) -> None:
        self.hessian = Gram(matrix)
        self.centre, self.level = centre, level
        self._matrix, self._linear, self._size = matrix, linear, size
        self._tolerance = PRECISION * np.sqrt(np.maximum(self.hessian.diagonal, 0.0) * size)

    def solutions(self, pairs: Sequence[Strengths]) -> Array:
        """Return the weights of each pair, shape (pairs, p)."""
        weights = np.zeros((len(pairs), len(self._linear)))
        here = weights[0]
        for _, stretch in groupby(range(len(pairs)), key=lambda index: _mix(pairs[index])):
            todo = list(stretch)
            while todo and np.count_nonzero(here) < MANY:
                index = todo.pop(0)
                here = weights[index] = self._exact(pairs[index], here)
            if todo:
                weights[todo] = self._descended([pairs[index] for index in todo], here)
                here = weights[todo[-1]]
        return weights

    def _exact(self, pair: Strengths, start: Array) -> Array:
        task = Quadratic(self.hessian, self._linear, pair.l1, 2 * pair.l2, self._tolerance)
        return task.minimise(start)

    def _descended(self, pairs: Sequence[Strengths], start: Array) -> Array:
        """Return the weights along pairs of one mix, from the strongest on.

        Only columns that have a weight, or may soon have one, take part; the others are checked after.
        """
        weights = np.empty((len(pairs), len(start)))
        here, first = start, 0
        pull = np.abs(self._linear - start @ self._matrix)
        columns = np.flatnonzero((start != 0) | (pull >= AHEAD * pairs[0].l1))
        while first < len(pairs):
            some = slice(first, first + STRETCH)
            found = self._among(columns, pairs[some], here)
            weights[some] = 0.0
            weights[some, columns] = found
            pulls = np.abs(self._linear - weights[some] @ self._matrix)
            limits = np.array([pair.l1 for pair in pairs[some]])[:, None]
            outside = np.ones(len(start), dtype=bool)
            outside[columns] = False
            late = outside & (pulls > SLACK * limits).any(axis=0)
            if late.any():
                columns = np.flatnonzero(~outside | (pulls >= AHEAD * limits).any(axis=0))
                continue
            here, first = weights[some][-1], first + STRETCH
            near = pulls[-1] >= AHEAD**2 * limits[-1]
            columns = np.flatnonzero((here != 0) | near)
        return weights

    def _among(self, columns: Indices, pairs: Sequence[Strengths], start: Array) -> Array:
        """Return the weights of ``columns`` by scikit-learn's descent, shape (pairs, columns).

        It sees one row, of which only the number is used: all else is in the products.
        """
        from sklearn.linear_model import enet_path

        strengths = [pair.l1 + 2 * pair.l2 for pair in pairs]
        _, weights, _ = enet_path(
            np.zeros((1, len(columns)), order="F"),
            np.array([np.sqrt(self._size)]),
            l1_ratio=pairs[0].l1 / strengths[0],
            alphas=strengths,
            precompute=self._matrix.take(columns, 0).take(columns, 1),
            Xy=self._linear[columns],
            coef_init=start[columns],
            tol=GAP,
            max_iter=10_000,
            check_input=False,
        )
        return np.asarray(weights.T)


def _mix(pair: Strengths) -> float:
    return round(pair.l1 / (pair.l1 + pair.l2), 9)

"""Cross-validated least squares with more columns than rows: all folds meet the columns at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from studylib.trainers._curvature import Array, Indices, Mask, of_columns
from studylib.trainers._quadratic import PRECISION, Quadratic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from studylib.trainers._least_squares import WeightedLeastSquares
    from studylib.trainers.conversions import Strengths

AHEAD = 0.9  # of the next λ₁: a column whose correlation is as large may soon have a weight
AT_ONCE = 16  # folds whose columns are kept in memory


@final
class WideFolds:
    """Rows of which each fold holds out some."""

    def __init__(self, task: WeightedLeastSquares, y: Array) -> None:
        self.columns = np.ascontiguousarray(task.table.whole().T)
        self.target = y - task.level

    def losses(self, folds: Sequence[Indices], pairs: Sequence[Strengths], factors: Array) -> Array:
        """Return Σ(y − ŷ)² over all held-out rows for each pair.

        Args:
            pairs: strongest first, each with λ₁ > 0.
            factors: what the weights of each pair are multiplied by.
        """
        total = np.zeros(len(pairs))
        for index, fold in self.solved(folds, pairs):
            total[index] += fold.loss(factors[index])
        return total

    def solved(self, folds: Sequence[Indices], pairs: Sequence[Strengths]) -> Iterator[tuple[int, Fold]]:
        """Give each fold as it is once it is solved for a pair, with the index of that pair."""
        for first in range(0, len(folds), AT_ONCE):
            yield from _Group(self, folds[first : first + AT_ONCE]).solved(pairs)


@final
class _Group:
    """Some folds, whose solutions move along the strengths side by side."""

    def __init__(self, rows: WideFolds, folds: Sequence[Indices]) -> None:
        self._columns = rows.columns
        kept = np.ones((len(rows.target), len(folds)))
        for number, held in enumerate(folds):
            kept[held, number] = 0.0
        share = kept / kept.sum(axis=0)
        means = self._columns @ share
        spread = np.sqrt(np.maximum(self._columns**2 @ share - means**2, 0.0))
        self._folds = [
            Fold(rows, held, np.flatnonzero(share[:, k]), means[:, k], spread[:, k])
            for k, held in enumerate(folds)
        ]
        self._bound = np.column_stack([fold.tolerance for fold in self._folds])
        self._alive = np.zeros(len(self._columns), dtype=bool)  # columns that may have a weight

    def solved(self, pairs: Sequence[Strengths]) -> Iterator[tuple[int, Fold]]:
        """Give each fold with the index of the pair that it is solved for."""
        correlation = self._each_correlation().max(axis=1)
        before = float(correlation.max(initial=0.0))
        for index, pair in enumerate(pairs):
            near = max(2 * pair.l1 - before, AHEAD * pair.l1)
            self._admit(correlation >= near)
            correlation = self._solve(pair)
            before = pair.l1
            yield from ((index, fold) for fold in self._folds)

    def _solve(self, pair: Strengths) -> Array:
        """Solve all folds; return the largest correlation of each column with the residuals of a fold."""
        todo = list(range(len(self._folds)))
        while True:
            for number in todo:
                self._folds[number].solve(pair)
            each = self._each_correlation()
            late = (each > pair.l1 + self._bound) & ~self._alive[:, None]
            todo = np.flatnonzero(late.any(axis=0)).tolist()
            largest: Array = each.max(axis=1)
            if not todo:
                return largest
            self._admit(largest >= pair.l1)

    def _each_correlation(self) -> Array:
        """Return |slope| of each column, shape (p, folds)."""
        each = self._columns @ np.column_stack([fold.slope for fold in self._folds])
        return np.abs(each, out=each)

    def _admit(self, columns: Mask) -> None:
        new = np.flatnonzero(columns & ~self._alive)
        self._alive[new] = True
        if len(new):
            part = self._columns[new]
            for fold in self._folds:
                fold.admit(new, part)


@final
class Fold:
    """One fold's problem in the columns that may have a weight.

    Attributes:
        slope: of the loss by each row's prediction, less its sign, shape (n,); 0 where a row is held out.
        tolerance: how far the optimality condition of each column may be missed, shape (p,).
        alive: the columns that may have a weight.
        weights: of these.
    """

    def __init__(self, rows: WideFolds, held: Indices, kept: Indices, mean: Array, spread: Array) -> None:
        self._held, self._kept, self._mean = held, kept, mean
        level = float(rows.target[kept].mean())
        self._target, self._unseen = rows.target[kept] - level, rows.target[held] - level
        self._scale = float(np.sqrt(2 / len(kept)))
        size = float(self._target @ self._target) * self._scale**2
        self.tolerance = PRECISION * np.sqrt(2 * size) * spread
        self.slope = np.zeros(len(rows.target))
        self.slope[kept] = self._scale**2 * self._target
        self._columns = np.empty((0, len(kept)))
        self._across = np.empty((0, len(held)))
        self._limits = np.empty(0)
        self.alive: Indices = np.empty(0, dtype=np.intp)
        self.weights = np.empty(0)

    def admit(self, new: Indices, part: Array) -> None:
        """Let the columns ``new``, whose values in all rows are ``part``, have weights."""
        rest = part - self._mean[new, None]
        self._columns = np.concatenate([self._columns, self._scale * rest[:, self._kept]])
        self._across = np.concatenate([self._across, rest[:, self._held]])
        self.alive = np.concatenate([self.alive, new])
        self._limits = np.concatenate([self._limits, self.tolerance[new]])
        self.weights = np.concatenate([self.weights, np.zeros(len(new))])
        self._hessian = of_columns(self._columns)
        self._linear = self._columns @ (self._scale * self._target)

    def solve(self, pair: Strengths) -> None:
        """Move the weights to the minimum."""
        if not len(self._columns):
            return
        task = Quadratic(self._hessian, self._linear, pair.l1, 2 * pair.l2, self._limits)
        self.weights = task.minimise(self.weights)
        rest = self._scale * self._target - self.weights @ self._columns
        self.slope[self._kept] = self._scale * rest

    def loss(self, factor: float) -> float:
        """Return Σ(y − ŷ)² over the held-out rows, with weights ``factor`` times as large."""
        rest = self._unseen - factor * (self.weights @ self._across)
        return float(rest @ rest)

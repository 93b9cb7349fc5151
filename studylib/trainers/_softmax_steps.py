"""The quadratic that touches the softmax loss at a point, its free intercepts eliminated, and its minimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from studylib.trainers._curvature import GRAM_LIMIT, Array, Curvature, Gram, of_columns
from studylib.trainers._quadratic import Quadratic

if TYPE_CHECKING:
    from studylib.trainers._blocks import Table
    from studylib.trainers.conversions import Strengths


@final
class Touching:
    """½ΔᵀHΔ + gᵀΔ of a step Δ of the weights, shape (k·p,), and the intercepts' best answer to it.

    The loss of a row has the curvature diag(q) − qqᵀ by its k scores, q being the probabilities. That is
    singular along the ones: scores that all grow alike change nothing.

    Args:
        table: rows, shape (n, p).
        odds: probabilities of the classes for each row, shape (n, k).
        slope: of the mean loss by the scores, shape (n, k).
    """

    def __init__(self, table: Table, odds: Array, slope: Array) -> None:
        from scipy.linalg import pinvh

        self.shape = (odds.shape[1], table.shape[1])
        self._table, self._odds = table, odds
        own, self._across = self._intercepts()
        self._inverse = pinvh(own)
        self._level = slope.sum(axis=0)
        pull = np.stack([table.across(column) for column in slope.T]).ravel()
        self._slope: Array = pull - self._across @ (self._inverse @ self._level)

    def solution(self, start: Array, pair: Strengths, tolerance: Array) -> Array:
        """Return the weights, shape (k, p), at the minimum with the penalties, which lies ``start`` + Δ."""
        here = start.ravel()
        if pair.l1 == 0:
            found = (here - self._ridge(self._slope + 2 * pair.l2 * here, 2 * pair.l2)).reshape(self.shape)
            found[:, self._table.spread == 0] = 0.0  # what rounding leaves would be a weight
            return np.asarray(found)
        hessian = self._curvature()
        moving = np.flatnonzero(here)
        linear = hessian.times(moving, here[moving]) - self._slope
        task = Quadratic(hessian, linear, pair.l1, 2 * pair.l2, np.tile(tolerance, self.shape[0]))
        return task.minimise(here).reshape(self.shape)

    def answer(self, step: Array) -> Array:
        """Return by how much the intercepts move, shape (k,), where the weights move by ``step``."""
        return np.asarray(-self._inverse @ (self._across.T @ step.ravel() + self._level))

    def _curvature(self) -> Curvature:
        n, (k, p) = len(self._odds), self.shape
        if k * p <= max(n * k, GRAM_LIMIT):
            return Gram(self._products())
        return of_columns(np.ascontiguousarray(self._rows().T))

    def _ridge(self, pull: Array, ridge: float) -> Array:
        """Return (H + ridge·I)⁻¹ pull, or the shortest answer where there is no ridge."""
        from scipy.linalg import eigh, svd

        n, (k, p) = len(self._odds), self.shape
        if k * p <= max(n * k, GRAM_LIMIT):
            size, basis = eigh(self._products())
        else:
            _, root, right = svd(self._rows(), full_matrices=False)
            size, basis = root**2, right.T
        kept = size > size.max() * np.finfo(float).eps * k * p
        inside = basis[:, kept].T @ pull
        found = basis[:, kept] @ (inside / (size[kept] + ridge))
        # what no row sees is left to the penalty
        return np.asarray(found + ((pull - basis[:, kept] @ inside) / ridge if ridge else 0.0))

    def _intercepts(self) -> tuple[Array, Array]:
        """Return the curvature of the intercepts, shape (k, k), and its mixed part with weights (k·p, k)."""
        n, k = self._odds.shape
        own, across = np.zeros((k, k)), np.zeros((k, self.shape[1], k))
        for c in range(k):
            for d in range(k):
                bend = self._bend(c, d) / n
                own[c, d] = bend.sum()
                across[c, :, d] = self._table.across(bend)
        return own, across.reshape(-1, k)

    def _bend(self, c: int, d: int) -> Array:
        return np.asarray(self._odds[:, c] * (float(c == d) - self._odds[:, d]))

    def _products(self) -> Array:
        """Return H without the intercepts, shape (k·p, k·p)."""
        n, (k, p) = len(self._odds), self.shape
        full = np.zeros((k, p, k, p))
        for rows, block in self._table.blocks():
            for c in range(k):
                for d in range(c, k):
                    full[c, :, d] += (block * (self._bend(c, d)[rows, None] / n)).T @ block
        for c in range(k):
            for d in range(c):
                full[c, :, d] = full[d, :, c].T
        matrix = full.reshape(k * p, k * p)
        matrix -= self._across @ self._inverse @ self._across.T
        return np.asarray((matrix + matrix.T) / 2)

    def _rows(self) -> Array:
        """Return an A, shape (n·k, k·p), with H = AᵀA: (I − uuᵀ)·diag(u) for u = √q is a root of the bend."""
        n, (k, p) = len(self._odds), self.shape
        u = np.sqrt(self._odds)
        root = (np.eye(k) - u[:, :, None] * u[:, None, :]) * u[:, None, :] / np.sqrt(n)
        rows = np.einsum("nac,nj->nacj", root, self._table.whole()).reshape(n * k, k * p)
        ones = root.reshape(n * k, k)
        return np.asarray(rows - ones @ (self._inverse @ (ones.T @ rows)))

"""Penalised weighted least squares with a free intercept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from studylib.trainers._blocks import Table, mean, product
from studylib.trainers._curvature import GRAM_LIMIT, Array, Curvature, Gram, of_columns
from studylib.trainers._quadratic import PRECISION, Quadratic

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

TALL = 4  # rows for each column from which a triangle of the columns' size stands for them


@final
@dataclass(frozen=True)
class Coefficients:
    """A linear model z = Xw + b.

    Attributes:
        weights: w, shape (p,); zeros are exact.
        intercept: b.
    """

    weights: Array
    intercept: float

    def scores(self, x: Array) -> Array:
        """Return z, shape (n,), for rows ``x``, shape (n, p)."""
        return product(x, self.weights) + self.intercept

    def moved(self, shift: Array) -> Coefficients:
        """Return the same model for rows that lie ``shift``, shape (p,), further on."""
        return Coefficients(self.weights, self.intercept - float(shift @ self.weights))

    def stretched(self, factor: float, x: ArrayLike) -> Coefficients:
        """Return weights ``factor`` times as large, with the same mean of z over the rows ``x``."""
        if factor == 1:
            return self
        extra = float((factor - 1) * mean(np.asarray(x)) @ self.weights)
        return Coefficients(factor * self.weights, self.intercept - extra)

    def towards(self, other: Coefficients, share: float) -> Coefficients:
        """Return the model that lies ``share`` of the way to ``other``."""
        weights = self.weights + share * (other.weights - self.weights)
        return Coefficients(weights, self.intercept + share * (other.intercept - self.intercept))


@final
class WeightedLeastSquares:
    """½·Σᵢ ωᵢ·(uᵢ − xᵢw − b)² + l1·Σ|w| + l2·Σw².

    The intercept is eliminated by centring with the weights ω, shape (n,); it is not penalised.

    Attributes:
        table: the rows x.
        level: mean of the target.
        linear: the slope at zero weights, less its sign, shape (p,).
    """

    def __init__(self, table: Table, target: Array, omega: Array) -> None:
        share = omega / omega.sum()
        self.table = table
        self._shift = table.across(share)
        self.level = float(share @ target)
        self._root = np.sqrt(omega)
        self._target = (target - self.level) * self._root
        pull = self._target * self._root
        self.linear: Array = table.across(pull) - pull.sum() * self._shift

    def largest(self) -> float:
        """Return the least l1 at which all weights are zero."""
        return float(np.abs(self.linear).max(initial=0.0))

    def minimise(self, l1: float, l2: float, start: Coefficients | None = None) -> Coefficients:
        """Return the solution; without a penalty and with dependent columns, the shortest one.

        Raises:
            Divergence: rounding errors keep the optimality conditions from being met.
        """
        return self.minimise_centred(l1, l2, start).moved(self.table.centre)

    def minimise_centred(self, l1: float, l2: float, start: Coefficients | None = None) -> Coefficients:
        """Return the solution for rows less the mean of the table.

        Raises:
            Divergence: as ``minimise``.
        """
        weights = self._ridge(l2) if l1 == 0 else self._sparse(l1, l2, start)
        return Coefficients(weights, self.level).moved(self._shift)

    @cached_property
    def products(self) -> Array:
        """H, the products of the columns, shape (p, p)."""
        total = np.zeros((self.table.shape[1],) * 2)
        if np.ptp(self._root) == 0:  # the table has this centre: nothing is to be shifted or weighed
            for _, block in self.table.blocks():
                total += block.T @ block
            return np.asarray(self._root[0] ** 2 * total)
        for rows, block in self.table.blocks():
            part = (block - self._shift) * self._root[rows, None]
            total += part.T @ part
        return total

    def _sparse(self, l1: float, l2: float, start: Coefficients | None) -> Array:
        begin = np.zeros(len(self.linear)) if start is None else start.weights
        problem = Quadratic(self._hessian, self.linear, l1, 2 * l2, self._tolerance)
        return problem.minimise(begin)

    def _ridge(self, l2: float) -> Array:
        left, size, right = self._decomposition
        kept = size > size[:1].sum() * np.finfo(float).eps * max(self.table.shape)
        shrunk = np.divide(size, size**2 + 2 * l2, out=np.zeros_like(size), where=kept)
        weights = (shrunk * left) @ right
        weights[self.table.spread == 0] = 0.0  # what rounding leaves would miss the optimality conditions
        return np.asarray(weights)

    @cached_property
    def _hessian(self) -> Curvature:
        n, p = self.table.shape
        if p <= max(n, GRAM_LIMIT):
            return Gram(self.products)
        return of_columns(np.ascontiguousarray(self._rows.T))

    @property
    def _rows(self) -> Array:
        return np.asarray((self.table.whole() - self._shift) * self._root[:, None])

    @cached_property
    def _tolerance(self) -> Array:
        return PRECISION * np.sqrt(self._hessian.diagonal * (self._target @ self._target))

    @cached_property
    def _decomposition(self) -> tuple[Array, Array, Array]:
        """Return targetᵀU, the singular values, and Vᵀ of the weighted rows UΣVᵀ."""
        from scipy.linalg import svd

        n, p = self.table.shape
        rows, target = self._triangle() if n > TALL * (p + 1) else (self._rows, self._target)
        left, size, right = svd(rows, full_matrices=False)
        return target @ left, size, right

    def _triangle(self) -> tuple[Array, Array]:
        """Return p + 1 rows and a target that have the products of all rows, by QR block by block."""
        p = self.table.shape[1]
        triangle = np.empty((0, p + 1))
        for rows, block in self.table.blocks():
            part = (block - self._shift) * self._root[rows, None]
            beside = np.column_stack([part, self._target[rows]])
            triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, beside]), mode="r"))
        return triangle[:, :p], triangle[:, p]

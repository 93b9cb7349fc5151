"""Penalised weighted least squares with a free intercept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

import numpy as np

from studylib.trainers._quadratic import PRECISION, Array, Curvature, Quadratic, curvature

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FLAT = 1e-13  # spread of a column, relative to its size, below which it is constant but for rounding


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
        return x @ self.weights + self.intercept

    def moved(self, shift: Array) -> Coefficients:
        """Return the same model for rows that lie ``shift``, shape (p,), further on."""
        return Coefficients(self.weights, self.intercept - float(shift @ self.weights))

    def stretched(self, factor: float, x: ArrayLike) -> Coefficients:
        """Return weights ``factor`` times as large, with the same mean of z over the rows ``x``."""
        if factor == 1:
            return self
        mean = np.asarray(x, dtype=np.float64).mean(axis=0)
        return Coefficients(factor * self.weights, self.intercept - float((factor - 1) * mean @ self.weights))

    def towards(self, other: Coefficients, share: float) -> Coefficients:
        """Return the model that lies ``share`` of the way to ``other``."""
        weights = self.weights + share * (other.weights - self.weights)
        return Coefficients(weights, self.intercept + share * (other.intercept - self.intercept))


def centred(x: Array, share: Array) -> tuple[Array, Array]:
    """Return ``x`` less its mean under the weights ``share``, which sum to 1, and that mean, shape (p,).

    A constant column becomes exactly zero: what rounding leaves of it would be fitted otherwise.
    """
    mean = share @ x
    rest = x - mean
    rest[:, np.sqrt(share @ rest**2) <= FLAT * np.abs(mean)] = 0.0
    return rest, mean


@final
class WeightedLeastSquares:
    """½·Σᵢ ωᵢ·(uᵢ − xᵢw − b)² + l1·Σ|w| + l2·Σw².

    The intercept is eliminated by centring with the weights ω, shape (n,); it is not penalised.
    """

    def __init__(self, x: Array, target: Array, omega: Array) -> None:
        share = omega / omega.sum()
        root = np.sqrt(omega)
        rest, self._centre = centred(x, share)
        self._rows = rest * root[:, None]
        self._level = float(share @ target)
        self._target = (target - self._level) * root
        self._correlation: Array = self._target @ self._rows

    def largest(self) -> float:
        """Return the least l1 at which all weights are zero."""
        return float(np.abs(self._correlation).max(initial=0.0))

    def minimise(self, l1: float, l2: float, start: Coefficients | None = None) -> Coefficients:
        """Return the solution; without a penalty and with dependent columns, the shortest one.

        Raises:
            Divergence: rounding errors keep the optimality conditions from being met.
        """
        weights = self._ridge(l2) if l1 == 0 else self._sparse(l1, l2, start)
        return Coefficients(weights, self._level).moved(self._centre)

    def _sparse(self, l1: float, l2: float, start: Coefficients | None) -> Array:
        begin = np.zeros(len(self._correlation)) if start is None else start.weights
        problem = Quadratic(self._hessian, self._correlation, l1, 2 * l2, self._tolerance)
        return problem.minimise(begin)

    def _ridge(self, l2: float) -> Array:
        left, size, right = self._decomposition
        kept = size > size[:1].sum() * np.finfo(float).eps * max(self._rows.shape)
        shrunk = np.divide(size, size**2 + 2 * l2, out=np.zeros_like(size), where=kept)
        return np.asarray((shrunk * (self._target @ left)) @ right)

    @cached_property
    def _hessian(self) -> Curvature:
        return curvature(self._rows)

    @cached_property
    def _tolerance(self) -> Array:
        return PRECISION * np.sqrt(self._hessian.diagonal * (self._target @ self._target))

    @cached_property
    def _decomposition(self) -> tuple[Array, Array, Array]:
        from scipy.linalg import svd

        left, size, right = svd(self._rows, full_matrices=False)
        return left, size, right

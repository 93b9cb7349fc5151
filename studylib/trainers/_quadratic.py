"""The ℓ₁-penalised quadratic min ½wᵀHw − cᵀw + λ₁·Σ|w| by active-set Newton steps, to machine precision.

Feature-sign search (Lee, Battle, Raina and Ng 2006, https://doi.org/10.7551/mitpress/7503.003.0105), with
several coordinates entering at once and an exact search along each direction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
import numpy.typing as npt

from studylib.errors import Divergence

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

PRECISION = 1e-11  # of the optimality conditions, relative to the length of a column times that of the target
JITTER = 1e-14  # relative, on the diagonal: turns an unbounded direction into a very long one
ENTERING = 10  # coordinates that may enter at once, beside as many as are already there
GRAM_LIMIT = 1000  # columns up to which H is stored whole, even if there are fewer rows


UNSETTLED = (
    "rounding errors keep the exact solver from the optimality conditions. "
    "Standardise the columns, drop near-copies among them, or add an l2 penalty."
)


class Curvature(Protocol):
    """A positive semidefinite H, shape (p, p), seen through a few of its columns."""

    @property
    def diagonal(self) -> Array:
        """Return the diagonal of H, shape (p,)."""

    def times(self, columns: Indices, values: Array) -> Array:
        """Return H[:, columns] @ values, shape (p,)."""

    def block(self, columns: Indices) -> Array:
        """Return H[columns][:, columns]."""


@final
class Gram:
    """H = AᵀA, stored."""

    def __init__(self, rows: Array) -> None:
        self._matrix: Array = rows.T @ rows
        self.diagonal: Array = self._matrix.diagonal()

    def times(self, columns: Indices, values: Array) -> Array:
        """Return H[:, columns] @ values: H is symmetric, and its rows lie together in memory."""
        return np.asarray(values @ self._matrix[columns])

    def block(self, columns: Indices) -> Array:
        """Return H[columns][:, columns]."""
        return self._matrix[columns[:, None], columns]


@final
class Factor:
    """H = AᵀA for an A, shape (n, p), with so many columns that H itself would be too large.

    The part of H that was asked for so far is kept.
    """

    def __init__(self, rows: Array) -> None:
        self._columns = np.ascontiguousarray(rows.T)
        self.diagonal: Array = np.einsum("ij,ij->i", self._columns, self._columns)
        self._place: Indices = np.full(len(self._columns), -1)
        self._known: Indices = np.empty(0, dtype=np.intp)
        self._gram: Array = np.empty((0, 0))

    def times(self, columns: Indices, values: Array) -> Array:
        """Return Aᵀ(A[:, columns] @ values)."""
        return np.asarray(self._columns @ (values @ self._columns[columns]))

    def block(self, columns: Indices) -> Array:
        """Return A[:, columns]ᵀ A[:, columns]."""
        new = columns[self._place[columns] < 0]
        if len(new):
            self._learn(new)
        place = self._place[columns]
        return self._gram[place[:, None], place]

    def _learn(self, new: Indices) -> None:
        part = self._columns[new]
        across = self._columns[self._known] @ part.T
        self._gram = np.block([[self._gram, across], [across.T, part @ part.T]])
        self._place[new] = len(self._known) + np.arange(len(new))
        self._known = np.concatenate([self._known, new])


def curvature(rows: Array) -> Curvature:
    """Return AᵀA of ``rows`` in the form that is cheaper to work with."""
    n, p = rows.shape
    return Gram(rows) if p <= max(n, GRAM_LIMIT) else Factor(rows)


@final
@dataclass(frozen=True)
class Quadratic:
    """½wᵀ(H + ridge·I)w − cᵀw + l1·Σ|w|, with ``l1`` > 0.

    Attributes:
        linear: c, shape (p,).
        tolerance: how far each optimality condition may be missed, in the unit of c, shape (p,).
    """

    hessian: Curvature
    linear: Array
    l1: float
    ridge: float
    tolerance: Array

    def minimise(self, start: Array) -> Array:
        """Return a minimiser, shape (p,), with exact zeros, beginning from the weights ``start``.

        The search is finite. A step either reaches the minimum that its signs and its moving set determine,
        and the objective falls, so none of those comes twice; or it ends where a weight reaches zero, and
        then nothing enters until the others have come to rest.

        Raises:
            Divergence: rounding errors keep the optimality conditions from being met.
        """
        weights = start.copy()
        shrinking = False
        for _ in range(1000 + 20 * len(weights)):
            active = np.flatnonzero(weights)
            force = self._force(weights, active)
            pull = force[active] - self.l1 * np.sign(weights[active])
            at_rest = bool((np.abs(pull) <= self.tolerance[active]).all())
            entering = self._entering(weights, force) if at_rest or not shrinking else active[:0]
            if at_rest and not len(entering):
                return weights
            shrinking = self._step(weights, active, entering, force)
        raise Divergence(UNSETTLED)

    def _force(self, weights: Array, active: Indices) -> Array:
        slope = self.hessian.times(active, weights[active])
        return self.linear - slope - self.ridge * weights

    def _entering(self, weights: Array, force: Array) -> Indices:
        excess = np.where(weights == 0, np.abs(force) - self.l1 - self.tolerance, 0.0)
        entering = np.flatnonzero(excess > 0)
        room = ENTERING + np.count_nonzero(weights)
        if len(entering) > room:
            entering = entering[np.argsort(-excess[entering], kind="stable")[:room]]
        return entering

    def _step(self, weights: Array, active: Indices, entering: Indices, force: Array) -> bool:
        """Move ``weights`` in place along a Newton direction; tell whether one of them was set to zero."""
        while True:
            moving = np.concatenate([active, entering])
            signs = np.sign(np.concatenate([weights[active], force[entering]]))
            pull = force[moving] - self.l1 * signs
            block = self.hessian.block(moving)
            block.flat[:: len(moving) + 1] += self.ridge
            direction = _newton(block, pull)
            # One that would leave zero to the other side makes this no direction of descent: it has to
            # wait. If the active ones are at rest, at least one can go, because pullᵀH⁻¹pull > 0.
            willing = direction[len(active) :] * pull[len(active) :] > 0
            if willing.all():
                break
            entering = entering[willing]
        crossing = np.flatnonzero(weights[moving] * direction < 0)
        time, zeroed = _best_stop(weights[moving], direction, crossing, pull, block, self.l1)
        weights[moving] += time * direction
        weights[moving[zeroed]] = 0.0
        return bool(len(zeroed))


def _newton(block: Array, pull: Array) -> Array:
    from scipy.linalg.lapack import dposv

    # a column without spread pushes its weight to zero, where the search stops it
    diagonal = np.where(block.diagonal() > 0, block.diagonal(), 1.0)
    jitter = JITTER * len(block)
    while jitter < 1:
        damped = block.copy()
        damped.flat[:: len(block) + 1] += jitter * diagonal
        _, direction, failed = dposv(damped, pull)
        if not failed:
            return np.asarray(direction)
        jitter *= 100
    raise Divergence(UNSETTLED)


def _best_stop(
    weights: Array, direction: Array, crossing: Indices, pull: Array, block: Array, l1: float
) -> tuple[float, Indices]:
    """Return the best of the whole step and the points where a ``crossing`` weight is zero.

    Along the direction the objective is −t·pull·d + ½t²·dᵀHd, and after each crossing at tₖ it gains
    2·l1·|dₖ|·(t − tₖ).

    Returns:
        The length of the step, at most 1, and the index of the weight that is zero there, if any.
    """
    times = -weights[crossing] / direction[crossing]
    order = np.argsort(times)
    times, crossing = times[order], crossing[order]
    inside = np.searchsorted(times, 1.0)
    if inside == 0:
        return 1.0, crossing[:0]
    times, crossing = np.append(times[:inside], 1.0), crossing[:inside]
    bends = np.append(2 * l1 * np.abs(direction[crossing]), 0.0)
    gain = times * np.cumsum(bends) - np.cumsum(bends * times)
    smooth = times * (times / 2 * float(direction @ block @ direction) - float(direction @ pull))
    best = int(np.argmin(smooth + gain))
    return float(times[best]), crossing[best : best + 1]

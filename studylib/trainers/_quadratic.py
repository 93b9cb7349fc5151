"""The ℓ₁-penalised quadratic min ½wᵀHw − cᵀw + λ₁·Σ|w| by active-set Newton steps, to machine precision.

Feature-sign search (Lee, Battle, Raina and Ng 2006, https://doi.org/10.7551/mitpress/7503.003.0105), with
several coordinates entering at once and an exact search along each direction. Near a solution, as along a
path, the primal-dual active set leaps to it (Hintermüller, Ito and Kunisch 2002,
https://doi.org/10.1137/S1052623401383558), which has no such guarantee, so what it finds is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from studylib.errors import Divergence
from studylib.trainers._curvature import Array, Curvature, Indices

PRECISION = 1e-11  # of the optimality conditions, relative to the length of a column times that of the target
JITTER = 1e-14  # relative, on the diagonal: turns an unbounded direction into a very long one
ENTERING = 10  # coordinates that may enter at once, beside as many as are already there
LEAPS = 12  # from one set of moving coordinates to the next, before the search goes step by step

UNSETTLED = (
    "rounding errors keep the exact solver from the optimality conditions. "
    "Standardise the columns, drop near-copies among them, or add an l2 penalty."
)


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
        found = self._leapt(start)
        return self._searched(start.copy()) if found is None else found

    def _leapt(self, start: Array) -> Array | None:
        """Return a minimiser, or None if it was not found by solving for one moving set after another."""
        from scipy.linalg.lapack import dposv

        active = np.flatnonzero(start)
        signs = np.sign(start[active])
        bound = self.l1 + self.tolerance
        for _ in range(LEAPS):
            block = self.hessian.block(active)
            block.flat[:: len(active) + 1] += self.ridge
            values = self.linear[active] - self.l1 * signs
            if len(active):
                _, values, failed = dposv(block, values, overwrite_a=1)
                if failed:
                    return None
            force = self.linear - self.hessian.times(active, values)
            rest = force[active] - self.ridge * values - self.l1 * signs
            force[active] = 0.0
            size = np.abs(force)
            entering = np.flatnonzero(size > bound)
            staying = values * signs > 0
            if not len(entering) and staying.all():
                if (np.abs(rest) > self.tolerance[active]).any():
                    return None
                weights = np.zeros(len(start))
                weights[active] = values
                return weights
            room = ENTERING + len(active)
            if len(entering) > room:
                entering = entering[np.argsort(-size[entering], kind="stable")[:room]]
            signs = np.concatenate([signs[staying], np.sign(force[entering])])
            active = np.concatenate([active[staying], entering])
        return None

    def _searched(self, weights: Array) -> Array:
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

"""Penalised binary logistic regression by proximal Newton steps.

Lee, Sun and Saunders (2014), https://doi.org/10.1137/130921428. Separation: Albert and Anderson (1984),
https://doi.org/10.1093/biomet/71.1.1; as a linear programme: Konis (2007).
"""

from __future__ import annotations

from typing import final

import numpy as np

from studylib.errors import Divergence
from studylib.trainers._blocks import Table
from studylib.trainers._curvature import Array
from studylib.trainers._least_squares import Coefficients, WeightedLeastSquares
from studylib.trainers._quadratic import PRECISION, UNSETTLED

FLAT = 1e-12  # p(1 − p) below this is raised to it: it keeps the working target finite
CERTAIN = 10.0  # |log-odds| from which a fit without a penalty is suspected to have no finite solution
SUFFICIENT = 1e-4  # share of the predicted decrease that a step must bring (Armijo)
STEPS = 300
SHORTEST = 1e-12  # step after halvings
DISTINCT = 1e-6  # mean distance from a separating hyperplane that is more than the rounding of the programme

NO_SOLUTION = (
    "a hyperplane separates the two classes, so logistic regression without a penalty has no finite "
    "solution: the weights grow for ever. Add a penalty, for example l2 with strength 1e-3."
)


@final
class Logistic:
    """1/n·Σᵢ log(1 + exp(−sᵢ·(xᵢw + b))) + l1·Σ|w| + l2·Σw² with signs s = ±1 and a free intercept.

    Args:
        x: features, shape (n, p).
        y: classes 0 and 1, shape (n,).

    Raises:
        Divergence: all rows are of one class, so the intercept has no finite solution.
    """

    def __init__(self, x: Array, y: Array) -> None:
        self._table = Table(x)
        self._sign = np.where(y > 0, 1.0, -1.0)
        self._tolerance: Array = PRECISION * self._table.spread
        share = float(np.mean(y > 0))
        if share in (0.0, 1.0):
            raise Divergence(
                "logistic regression needs both classes among the rows that it learns from, "
                f"but all {len(y)} are of one. Use more rows, or fewer folds."
            )
        self._empty = Coefficients(np.zeros(x.shape[1]), float(np.log(share / (1 - share))))

    def largest(self) -> float:
        """Return the least l1 at which all weights are zero."""
        return float(np.abs(self._table.across(self._slope(self._empty))).max(initial=0.0))

    def minimise(self, l1: float, l2: float, start: Coefficients | None = None) -> Coefficients:
        """Return the solution, beginning from ``start``.

        Raises:
            Divergence: without a penalty, a hyperplane separates the classes; or rounding errors keep the
                optimality conditions from being met.
        """
        here = self._empty if start is None else start.moved(-self._table.centre)
        for _ in range(STEPS):
            if l1 == l2 == 0 and (self._margins(here) > 0).all():
                raise Divergence(NO_SOLUTION)
            if self._solved(here, l1, l2):
                break
            here = self._step(here, l1, l2)
        if l1 == l2 == 0 and np.abs(self._margins(here)).max() > CERTAIN and self._separable():
            raise Divergence(NO_SOLUTION)
        if not self._solved(here, l1, l2):
            raise Divergence(UNSETTLED)
        return here.moved(self._table.centre)

    def _margins(self, at: Coefficients) -> Array:
        return self._sign * self._scores(at)

    def _scores(self, at: Coefficients) -> Array:
        return self._table.times(at.weights) + at.intercept

    def _slope(self, at: Coefficients) -> Array:
        """Return the derivative of the mean loss by the log-odds of each row, shape (n,)."""
        from scipy.special import expit

        return np.asarray(-self._sign * expit(-self._margins(at)) / len(self._sign))

    def _value(self, at: Coefficients, l1: float, l2: float) -> float:
        loss = np.logaddexp(0.0, -self._margins(at)).mean()
        return float(loss + l1 * np.abs(at.weights).sum() + l2 * (at.weights @ at.weights))

    def _solved(self, at: Coefficients, l1: float, l2: float) -> bool:
        slope = self._slope(at)
        pull = self._table.across(slope) + 2 * l2 * at.weights
        at_zero, elsewhere = np.abs(pull) - l1, np.abs(pull + l1 * np.sign(at.weights))
        missed = np.where(at.weights == 0, at_zero, elsewhere)
        return bool((missed <= self._tolerance).all() and abs(slope.sum()) <= PRECISION)

    def _step(self, here: Coefficients, l1: float, l2: float) -> Coefficients:
        """Minimise the quadratic that touches the loss at ``here``, and go as far as the objective falls."""
        slope = self._slope(here)
        size = len(slope)
        omega = np.maximum(np.abs(slope) * (1 - size * np.abs(slope)), FLAT / size)
        before = self._scores(here)
        there = WeightedLeastSquares(self._table, before - slope / omega, omega).minimise_centred(
            l1, l2, here
        )
        promised = (
            float(slope @ (self._scores(there) - before))
            + l1 * float(np.abs(there.weights).sum() - np.abs(here.weights).sum())
            + l2 * float(there.weights @ there.weights - here.weights @ here.weights)
        )
        value = self._value(here, l1, l2)
        # rounding of the objective must not stop the last steps, which are shorter than it can tell
        noise = 8 * np.finfo(float).eps * (1 + value)
        length = 1.0
        stop = there
        while (
            length > SHORTEST and self._value(stop, l1, l2) > value + SUFFICIENT * length * promised + noise
        ):
            length /= 2
            stop = here.towards(there, length)
        return stop

    def _separable(self) -> bool:
        """Tell whether some hyperplane has no row on its wrong side, and not all rows on it."""
        from scipy.optimize import linprog

        rows = self._table.whole()
        scale = np.abs(rows).max(axis=0)
        scale[scale == 0] = 1.0
        sided = self._sign[:, None] * np.column_stack([rows / scale, np.ones(len(rows))])
        least = linprog(-sided.mean(axis=0), A_ub=-sided, b_ub=np.zeros(len(sided)), bounds=(-1, 1)).fun
        return least is None or -least > DISTINCT

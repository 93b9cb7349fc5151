"""Penalised logistic regression of more than two classes by proximal Newton steps on all of them at once.

Friedman, Hastie and Tibshirani (2010), https://doi.org/10.18637/jss.v033.i01, go class by class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from studylib.errors import Divergence
from studylib.trainers._blocks import Table, mean, product
from studylib.trainers._curvature import Array
from studylib.trainers._logistic import CERTAIN, DISTINCT, SHORTEST, STEPS, SUFFICIENT
from studylib.trainers._quadratic import UNSETTLED
from studylib.trainers._softmax_steps import Touching
from studylib.trainers.conversions import Strengths

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

PRECISION = 1e-10  # of the optimality conditions, relative to the spread of a column
NO_SOLUTION_OF_CLASSES = (
    "a hyperplane separates classes, so logistic regression without a penalty has no finite solution: the "
    "weights grow for ever. Add a penalty, for example l2 with strength 1e-3."
)
INNER = 0.1  # share of that for the quadratic of a step


@final
@dataclass(frozen=True)
class ClassCoefficients:
    """A linear model z = XWᵀ + b with a score for each of k classes.

    Attributes:
        weights: W, shape (k, p); zeros are exact.
        intercept: b, shape (k,).
    """

    weights: Array
    intercept: Array

    def scores(self, x: Array) -> Array:
        """Return z, shape (n, k), for rows ``x``, shape (n, p)."""
        return product(x, self.weights.T) + self.intercept

    def moved(self, shift: Array) -> ClassCoefficients:
        """Return the same model for rows that lie ``shift``, shape (p,), further on."""
        return ClassCoefficients(self.weights, self.intercept - self.weights @ shift)

    def stretched(self, factor: float, x: ArrayLike) -> ClassCoefficients:
        """Return weights ``factor`` times as large, with the same mean of z over the rows ``x``."""
        if factor == 1:
            return self
        extra = (factor - 1) * self.weights @ mean(np.asarray(x))
        return ClassCoefficients(factor * self.weights, self.intercept - extra)

    def towards(self, other: ClassCoefficients, share: float) -> ClassCoefficients:
        """Return the model that lies ``share`` of the way to ``other``."""
        weights = self.weights + share * (other.weights - self.weights)
        return ClassCoefficients(weights, self.intercept + share * (other.intercept - self.intercept))


def refuse_absent(y: ArrayLike, classes: int) -> None:
    """Raise unless every class has a row.

    Raises:
        Divergence: one has none.
    """
    labels = np.asarray(y, dtype=np.intp)
    absent = np.flatnonzero(np.bincount(labels, minlength=classes) == 0)
    if len(absent):
        raise Divergence(
            f"logistic regression needs all {classes} classes among the rows that it learns from, but of "
            f"{len(labels)} rows none is of class {absent[0]}. Use more rows, or fewer folds."
        )


@final
class Multinomial:
    """1/n·Σᵢ (log Σ_c exp(zᵢ_c) − zᵢ_yᵢ) + l1·Σ|W| + l2·ΣW² with free intercepts, which add up to 0.

    Args:
        x: features, shape (n, p).
        y: classes 0 … k − 1, shape (n,).
        classes: k.

    Raises:
        Divergence: a class has no row, so its intercept has no finite solution.
    """

    def __init__(self, x: Array, y: Array, classes: int) -> None:
        self._table = Table(x)
        self._y = y.astype(np.intp)
        refuse_absent(self._y, classes)
        self._hot = np.eye(classes)[self._y]
        self._tolerance: Array = PRECISION * self._table.spread
        level = np.log(np.bincount(self._y) / len(y))
        self._empty = ClassCoefficients(np.zeros((classes, x.shape[1])), level - level.mean())

    def largest(self) -> float:
        """Return the least l1 at which all weights are zero."""
        return float(np.abs(self._pull(self._slope(self._empty))).max(initial=0.0))

    def minimise(self, l1: float, l2: float, start: ClassCoefficients | None = None) -> ClassCoefficients:
        """Return the solution, beginning from ``start``.

        Raises:
            Divergence: without a penalty, hyperplanes separate a class; or rounding errors keep the
                optimality conditions from being met.
        """
        pair = Strengths(l1, l2)
        here = self._empty if start is None else start.moved(-self._table.centre)
        for _ in range(STEPS):
            if l1 == l2 == 0 and (self._margins(here) > 0).all():
                raise Divergence(NO_SOLUTION_OF_CLASSES)
            if self._solved(here, pair):
                break
            here = self._step(here, pair)
        if l1 == l2 == 0 and np.abs(self._margins(here)).max() > CERTAIN and self._separable():
            raise Divergence(NO_SOLUTION_OF_CLASSES)
        if not self._solved(here, pair):
            raise Divergence(UNSETTLED)
        found = here.moved(self._table.centre)
        return ClassCoefficients(found.weights, found.intercept - found.intercept.mean())

    def _scores(self, at: ClassCoefficients) -> Array:
        return np.column_stack([self._table.times(row) for row in at.weights]) + at.intercept

    def _margins(self, at: ClassCoefficients) -> Array:
        """Return how far the score of its class lies above the best other, shape (n,)."""
        scores = self._scores(at)
        own = scores[self._hot > 0]
        return np.asarray(own - np.where(self._hot > 0, -np.inf, scores).max(axis=1))

    def _odds(self, at: ClassCoefficients) -> Array:
        from scipy.special import softmax

        return np.asarray(softmax(self._scores(at), axis=1))

    def _slope(self, at: ClassCoefficients) -> Array:
        return (self._odds(at) - self._hot) / len(self._hot)

    def _pull(self, slope: Array) -> Array:
        return np.stack([self._table.across(column) for column in slope.T])

    def _value(self, at: ClassCoefficients, pair: Strengths) -> float:
        from scipy.special import logsumexp

        scores = self._scores(at)
        loss = float((logsumexp(scores, axis=1) - scores[self._hot > 0]).mean())
        return loss + pair.l1 * float(np.abs(at.weights).sum()) + pair.l2 * float((at.weights**2).sum())

    def _solved(self, at: ClassCoefficients, pair: Strengths) -> bool:
        slope = self._slope(at)
        pull = self._pull(slope) + 2 * pair.l2 * at.weights
        at_zero, elsewhere = np.abs(pull) - pair.l1, np.abs(pull + pair.l1 * np.sign(at.weights))
        missed = np.where(at.weights == 0, at_zero, elsewhere)
        return bool((missed <= self._tolerance).all() and np.abs(slope.sum(axis=0)).max() <= PRECISION)

    def _step(self, here: ClassCoefficients, pair: Strengths) -> ClassCoefficients:
        """Minimise the quadratic that touches the loss at ``here``, and go as far as the objective falls."""
        odds = self._odds(here)
        slope = (odds - self._hot) / len(odds)
        touching = Touching(self._table, odds, slope)
        weights = touching.solution(here.weights, pair, INNER * self._tolerance)
        step = weights - here.weights
        there = ClassCoefficients(weights, here.intercept + touching.answer(step))
        promised = (
            float((slope * (self._scores(there) - self._scores(here))).sum())
            + pair.l1 * float(np.abs(weights).sum() - np.abs(here.weights).sum())
            + pair.l2 * float((weights**2).sum() - (here.weights**2).sum())
        )
        value = self._value(here, pair)
        noise = 8 * np.finfo(float).eps * (1 + value)  # of rounding, as in the steps of two classes
        length, stop = 1.0, there
        while length > SHORTEST and self._value(stop, pair) > value + SUFFICIENT * length * promised + noise:
            length /= 2
            stop = here.towards(there, length)
        return stop

    def _separable(self) -> bool:
        """Tell whether some direction lowers no row's score below that of another class, and lifts some."""
        from scipy.optimize import linprog

        rows = self._table.whole()
        scale = np.abs(rows).max(axis=0)
        scale[scale == 0] = 1.0
        seen = np.column_stack([rows / scale, np.ones(len(rows))])
        sides = []
        for other, unit in enumerate(np.eye(self._hot.shape[1])):
            here = self._y != other
            lead = (self._hot[here] - unit)[:, :, None] * seen[here][:, None, :]
            sides.append(lead.reshape(len(lead), -1))
        sided = np.concatenate(sides)
        least = linprog(-sided.mean(axis=0), A_ub=-sided, b_ub=np.zeros(len(sided)), bounds=(-1, 1)).fun
        return least is None or -least > DISTINCT

"""The losses of rows that are held out in turn, fold by fold, for every pair of strengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from studylib.errors import Divergence, ParameterError
from studylib.trainers._curvature import GRAM_LIMIT
from studylib.trainers._least_squares import WeightedLeastSquares
from studylib.trainers._problems import Posed, allowed, classes_of, problem, total_loss
from studylib.trainers._tall_folds import TallFolds
from studylib.trainers._wide_folds import WideFolds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studylib.trainers._curvature import Array, Indices
    from studylib.trainers.conversions import Strengths


@final
@dataclass(frozen=True)
class CrossValidation:
    """Mean held-out loss per example, without penalty, of each candidate, and the index of the best."""

    scores: tuple[float, ...]
    best: int


def validated(
    whole: Posed,
    candidates: Sequence[tuple[float, float]],
    folds: int,
    generator: np.random.Generator,
    stretches: Sequence[float],
) -> CrossValidation:
    """Return the scores of the candidates, as ``linear.cross_validate`` says."""
    pairs = [allowed(*pair) for pair in candidates]
    rows = len(whole.y)
    if not pairs or not 2 <= folds <= rows:
        raise ParameterError(
            f"cross-validation needs at least one candidate, got {len(pairs)}, and from 2 to {rows} folds, "
            f"the number of train rows, got {folds}. Change training.folds."
        )
    parts = np.array_split(generator.permutation(rows), folds)
    factors = np.array(stretches or [1.0] * len(pairs))
    total = held_out(whole, parts, pairs, factors)
    if not np.isfinite(total).any():
        raise Divergence("no candidate has a finite solution in every fold. Add a larger strength to them.")
    best = min(range(len(pairs)), key=lambda i: (total[i], -sum(pairs[i])))
    return CrossValidation(tuple((total / rows).tolist()), best)


def held_out(posed: Posed, folds: Sequence[Indices], pairs: Sequence[Strengths], factors: Array) -> Array:
    """Return the loss of each pair, shape (pairs,), summed over all held-out rows; inf without a solution.

    Args:
        factors: what the weights of each pair are multiplied by, shape (pairs,).
    """
    total = np.zeros(len(pairs))
    order = strongest_first(pairs)
    sparse = [index for index in order if pairs[index].l1 > 0]
    if isinstance(posed.task, WeightedLeastSquares) and sparse:
        total[sparse] += _shared(
            posed, posed.task, folds, [pairs[index] for index in sparse], factors[sparse]
        )
        order = [index for index in order if pairs[index].l1 == 0]
    for held in folds if order else ():
        total[order] += _apart(posed, held, [pairs[index] for index in order], factors[order])
    return total


def strongest_first(pairs: Sequence[Strengths]) -> list[int]:
    """Return the order in which each solution is near the one before."""
    return sorted(range(len(pairs)), key=lambda index: pairs[index], reverse=True)


def _shared(
    posed: Posed,
    task: WeightedLeastSquares,
    folds: Sequence[Indices],
    pairs: Sequence[Strengths],
    factors: Array,
) -> Array:
    n, p = posed.x.shape
    if p > max(n, GRAM_LIMIT):
        return WideFolds(task, posed.y).losses(folds, pairs, factors)
    tall = TallFolds(task, posed.y)
    total = np.zeros(len(pairs))
    for held in folds:
        losses = tall.losses(held, pairs, factors)
        total += _apart(posed, held, pairs, factors) if losses is None else losses
    return total


def _apart(posed: Posed, held: Indices, pairs: Sequence[Strengths], factors: Array) -> Array:
    """Return the losses of one fold, which shares nothing with others; pairs are strongest first."""
    x, y, loss, _ = posed
    rows = np.delete(x, held, axis=0)
    task: Any = problem(rows, np.delete(y, held), loss, classes_of(y, loss))  # its own kind of model
    total = np.full(len(pairs), np.inf)
    here: Any = None
    for index, pair in enumerate(pairs):
        try:
            here = task.minimise(*pair, here)
        except Divergence:
            continue
        total[index] = total_loss(here.stretched(factors[index], rows), x[held], y[held], loss)
    return total

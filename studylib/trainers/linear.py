"""Linear models solved exactly: least squares and logistic regression with ℓ₁ and ℓ₂ penalties.

The objective is mean loss per example + l1·Σ|w| + l2·Σw², with a free intercept. The loss is ``"squared"``:
(y − ŷ)² without a factor ½, or ``"logistic"``: log(1 + exp(z)) − y·z with classes 0 and 1 and log-odds z.
Optimality conditions are met to about 1e-11 of their scale, and zeros are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from studylib.errors import Divergence, ParameterError
from studylib.seeds import numpy_generator
from studylib.trainers._folds import held_out, strongest_first
from studylib.trainers._least_squares import Coefficients
from studylib.trainers._penalties import strengths_of, stretch_of
from studylib.trainers._problems import Loss, Posed, posed
from studylib.trainers.conversions import Strengths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from studylib.datasets.base import Split
    from studylib.regularizers.base import Regularizer
    from studylib.trainers._curvature import Array
    from studylib.trainers.base import Training

__all__ = [
    "Coefficients",
    "CrossValidation",
    "Fitted",
    "Loss",
    "Strengths",
    "cross_validate",
    "largest_strength",
    "path",
    "selected",
    "solve",
    "strengths_of",
    "stretch_of",
    "train",
]


@final
@dataclass(frozen=True)
class CrossValidation:
    """Mean held-out loss per example, without penalty, of each candidate, and the index of the best."""

    scores: tuple[float, ...]
    best: int


@final
@dataclass(frozen=True)
class Fitted:
    """A linear model learnt from the train rows of a split.

    Attributes:
        weights: w, shape (p,); zeros are exact.
        chosen: index of the candidate whose strengths were used.
        scores: cross-validated mean loss of each candidate; empty if there was only one.
    """

    weights: Array
    intercept: float
    loss: Loss
    chosen: int
    scores: tuple[float, ...]

    def predict(self, x: ArrayLike) -> Array:
        """Return predictions (n,) of a regression, or logits (n, 2) of two classes: 0 and the log-odds."""
        z = Coefficients(self.weights, self.intercept).scores(np.asarray(x))
        return z if self.loss == "squared" else np.column_stack([np.zeros_like(z), z])


def solve(
    x: ArrayLike, y: ArrayLike, *, l1: float, l2: float, loss: Loss, start: Coefficients | None = None
) -> Coefficients:
    """Return the minimiser of the objective.

    Without a penalty and with dependent columns, least squares has many; this is the shortest.

    Args:
        x: features, shape (n, p), in any unit; the penalty sees the weights in that unit.
        y: target, shape (n,), or classes 0 and 1.
        start: where to begin; it changes the time, and which of several minimisers is met, no more.

    Raises:
        Divergence: there is no finite solution: all rows of one class, or classes that a hyperplane
            separates and no penalty.
        ParameterError: negative strengths, shapes that differ, values that are not finite.
    """
    return posed(x, y, loss).task.minimise(*_allowed(l1, l2), start)


def path(x: ArrayLike, y: ArrayLike, strengths: Sequence[float], mix: float, loss: Loss) -> Array:
    """Return the weights, shape (strengths, p), at l1 = mix·strength and l2 = (1 − mix)·strength each.

    The strongest is solved first, and each next one begins where the last ended.

    Raises:
        Divergence, ParameterError: as ``solve``.
    """
    pairs = [_allowed(mix * strength, (1 - mix) * strength) for strength in strengths]
    task = posed(x, y, loss).task
    weights = np.empty((len(pairs), np.shape(x)[1]))
    here = None
    for index in strongest_first(pairs):
        here = task.minimise(*pairs[index], here)
        weights[index] = here.weights
    return weights


def largest_strength(x: ArrayLike, y: ArrayLike, mix: float, loss: Loss) -> float:
    """Return the least strength at which all weights of ``path`` are zero: max|slope at zero|/mix.

    Raises:
        Divergence, ParameterError: as ``solve``; or ``mix`` is 0, and no strength makes a weight zero.
    """
    if not 0 < mix <= 1:
        raise ParameterError(f"mix: expected above 0 and at most 1, for zeros need an l1 part, got {mix!r}.")
    return posed(x, y, loss).task.largest() / mix


def cross_validate(
    x: ArrayLike,
    y: ArrayLike,
    candidates: Sequence[tuple[float, float]],
    folds: int,
    generator: np.random.Generator,
    loss: Loss,
    stretches: Sequence[float] = (),
) -> CrossValidation:
    """Score each pair (l1, l2) on rows held out in turn; every row counts once.

    The best has the lowest mean loss; of equals, the one with the larger l1 + l2. A candidate without a
    finite solution in a fold scores infinity. ``stretches`` says what the weights of each candidate are
    multiplied by; none is 1.

    Raises:
        Divergence: no candidate has a finite solution in every fold, or a fold leaves only one class.
        ParameterError: as ``solve``; or fewer rows than folds.
    """
    return _validated(posed(x, y, loss), candidates, folds, generator, stretches)


def selected(
    x: ArrayLike,
    y: ArrayLike,
    candidates: Sequence[tuple[float, float]],
    folds: int,
    generator: np.random.Generator,
    loss: Loss,
    stretches: Sequence[float] = (),
) -> tuple[CrossValidation, Coefficients]:
    """Return what ``cross_validate`` finds, and the solution of the best on all rows.

    Raises:
        Divergence, ParameterError: as ``cross_validate``.
    """
    whole = posed(x, y, loss)
    found = CrossValidation((), 0)
    if len(candidates) > 1:
        found = _validated(whole, candidates, folds, generator, stretches)
    factor = stretches[found.best] if stretches else 1.0
    return found, whole.task.minimise(*_allowed(*candidates[found.best])).stretched(factor, whole.x)


def train(split: Split, candidates: Sequence[Sequence[Regularizer]], training: Training, seed: int) -> Fitted:
    """Solve the linear model on the train rows.

    With several candidates, ``training.folds``-fold cross-validation inside the train rows chooses; the
    validation rows stay unseen, and rows are dealt to folds by the stream (seed, "folds").

    Raises:
        Divergence: as ``solve``.
        ParameterError: more than two classes, tables that are none, or other regularizers.
    """
    if split.outputs > 2:
        raise ParameterError(
            f"training.optimizer 'exact' handles regression and two classes, not {split.outputs}. "
            "Use training.optimizer 'adamw'."
        )
    loss: Loss = "logistic" if split.classified else "squared"
    x, y = split.train.x, split.train.y
    pairs = [strengths_of(penalties) for penalties in candidates]
    stretches = [stretch_of(penalties, loss) for penalties in candidates]
    generator = numpy_generator(seed, "folds")
    found, solution = selected(x, y, pairs, training.folds, generator, loss, stretches)
    return Fitted(solution.weights, solution.intercept, loss, found.best, found.scores)


def _allowed(l1: float, l2: float) -> Strengths:
    if not (0 <= l1 < np.inf and 0 <= l2 < np.inf):
        raise ParameterError(f"expected finite strengths of at least 0, got l1 {l1!r} and l2 {l2!r}.")
    return Strengths(l1, l2)


def _validated(
    whole: Posed,
    candidates: Sequence[tuple[float, float]],
    folds: int,
    generator: np.random.Generator,
    stretches: Sequence[float],
) -> CrossValidation:
    pairs = [_allowed(*pair) for pair in candidates]
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

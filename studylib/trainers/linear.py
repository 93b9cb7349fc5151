"""Linear models solved exactly: least squares and logistic regression with ℓ₁ and ℓ₂ penalties.

The objective is mean loss per example + l1·Σ|w| + l2·Σw², with a free intercept. The loss is ``"squared"``:
(y − ŷ)² without a factor ½; ``"logistic"``: log(1 + exp(z)) − y·z with classes 0 and 1 and log-odds z; or
``"softmax"``: log Σ_c exp(z_c) − z_y with classes 0 … k − 1 and weights and an intercept for each.
Optimality conditions are met to about 1e-11 of their scale, 1e-10 with softmax, and zeros are exact.
Cross-validation of squared losses is content with a duality gap of 1e-6 where many weights are not zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from studylib.errors import ParameterError
from studylib.seeds import numpy_generator
from studylib.trainers._blocks import product
from studylib.trainers._folds import CrossValidation, strongest_first, validated
from studylib.trainers._least_squares import Coefficients
from studylib.trainers._multinomial import ClassCoefficients, refuse_absent
from studylib.trainers._penalties import strengths_of, stretch_of
from studylib.trainers._problems import Loss, Model, allowed, posed
from studylib.trainers.conversions import Strengths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from studylib.datasets.base import Split
    from studylib.regularizers.base import Regularizer
    from studylib.trainers._curvature import Array
    from studylib.trainers.base import Training

__all__ = [
    "ClassCoefficients",
    "Coefficients",
    "CrossValidation",
    "Fitted",
    "Loss",
    "Strengths",
    "by_column",
    "cross_validate",
    "largest_strength",
    "loss_of",
    "path",
    "selected",
    "solve",
    "solve_classes",
    "strengths_of",
    "stretch_of",
    "train",
]


@final
@dataclass(frozen=True)
class Fitted:
    """A linear model learnt from the train rows of a split.

    Attributes:
        weights: w, shape (p,), or (k, p) for k > 2 classes; zeros are exact.
        intercept: b, or of shape (k,).
        chosen: index of the candidate whose strengths were used.
        scores: cross-validated mean loss of each candidate; empty if there was only one.
    """

    weights: Array
    intercept: float | Array
    loss: Loss
    chosen: int
    scores: tuple[float, ...]

    def predict(self, x: ArrayLike) -> Array:
        """Return predictions (n,) of a regression, or logits (n, k): for two classes 0 and the log-odds."""
        z = product(np.asarray(x), self.weights.T) + self.intercept
        return np.column_stack([np.zeros_like(z), z]) if self.loss == "logistic" else z


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
    task: Any = posed(x, y, loss).task  # which begins where a model of its own kind is
    found: Coefficients = task.minimise(*allowed(l1, l2), start)
    return found


def solve_classes(x: ArrayLike, y: ArrayLike, *, l1: float, l2: float) -> ClassCoefficients:
    """Return the minimiser for classes 0 … k − 1 with the softmax loss; its intercepts add up to 0.

    Raises:
        Divergence, ParameterError: as ``solve``.
    """
    task: Any = posed(x, y, "softmax").task
    found: ClassCoefficients = task.minimise(*allowed(l1, l2))
    return found


def path(x: ArrayLike, y: ArrayLike, strengths: Sequence[float], mix: float, loss: Loss) -> Array:
    """Return what columns weigh, shape (strengths, p), at l1 = mix·strength and l2 = (1 − mix)·strength each.

    The strongest is solved first, and each next one begins where the last ended.

    Raises:
        Divergence, ParameterError: as ``solve``.
    """
    pairs = [allowed(mix * strength, (1 - mix) * strength) for strength in strengths]
    task: Any = posed(x, y, loss).task
    weights = np.empty((len(pairs), np.shape(x)[1]))
    here = None
    for index in strongest_first(pairs):
        here = task.minimise(*pairs[index], here)
        weights[index] = by_column(here.weights)
    return weights


def by_column(weights: Array) -> Array:
    """Return what each column weighs, shape (p,): w itself, or the length of its k weights if W is (k, p)."""
    return weights if weights.ndim == 1 else np.sqrt((weights**2).sum(axis=0))


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
    return validated(posed(x, y, loss), candidates, folds, generator, stretches)


def selected(
    x: ArrayLike,
    y: ArrayLike,
    candidates: Sequence[tuple[float, float]],
    folds: int,
    generator: np.random.Generator,
    loss: Loss,
    stretches: Sequence[float] = (),
) -> tuple[CrossValidation, Model]:
    """Return what ``cross_validate`` finds, and the solution of the best on all rows.

    Raises:
        Divergence, ParameterError: as ``cross_validate``.
    """
    whole = posed(x, y, loss)
    found = CrossValidation((), 0)
    if len(candidates) > 1:
        found = validated(whole, candidates, folds, generator, stretches)
    factor = stretches[found.best] if stretches else 1.0
    solution: Model = whole.task.minimise(*allowed(*candidates[found.best]))
    return found, solution.stretched(factor, whole.x)


def train(split: Split, candidates: Sequence[Sequence[Regularizer]], training: Training, seed: int) -> Fitted:
    """Solve the linear model on the train rows.

    With several candidates, ``training.folds``-fold cross-validation inside the train rows chooses; the
    validation rows stay unseen, and rows are dealt to folds by the stream (seed, "folds").

    Raises:
        Divergence: as ``solve``, or a class without a row.
        ParameterError: tables that are none, or other regularizers.
    """
    loss = loss_of(split)
    x, y = split.train.x, split.train.y
    if loss == "softmax":
        refuse_absent(y, split.outputs)
    pairs = [strengths_of(penalties) for penalties in candidates]
    stretches = [stretch_of(penalties, loss) for penalties in candidates]
    generator = numpy_generator(seed, "folds")
    found, solution = selected(x, y, pairs, training.folds, generator, loss, stretches)
    return Fitted(solution.weights, solution.intercept, loss, found.best, found.scores)


def loss_of(split: Split) -> Loss:
    """Return the loss of a regression, of two classes, or of more."""
    if not split.classified:
        return "squared"
    return "logistic" if split.outputs == 2 else "softmax"

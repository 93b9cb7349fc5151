"""A loss by its name: the problem to solve, the checks of its data, the loss of held-out rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, final

import numpy as np

from studylib.errors import ParameterError
from studylib.trainers._blocks import Table, slices
from studylib.trainers._curvature import Array
from studylib.trainers._least_squares import Coefficients, WeightedLeastSquares
from studylib.trainers._logistic import Logistic
from studylib.trainers._multinomial import ClassCoefficients, Multinomial
from studylib.trainers.conversions import Strengths

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Loss = Literal["squared", "logistic", "softmax"]
Problem: TypeAlias = WeightedLeastSquares | Logistic | Multinomial
Model: TypeAlias = Coefficients | ClassCoefficients
LARGEST = 1e100  # squares of anything larger may overflow


@final
class Posed(NamedTuple):
    """Rows, what is asked of them, and the problem of all of them."""

    x: Array
    y: Array
    loss: Loss
    task: Problem


def posed(x: ArrayLike, y: ArrayLike, loss: Loss) -> Posed:
    """Return the rows, checked, with their problem.

    Raises:
        ParameterError: as ``checked``.
        Divergence: all rows are of one class.
    """
    rows, target = checked(x, y, loss)
    return Posed(rows, target, loss, problem(rows, target, loss, classes_of(target, loss)))


def classes_of(y: Array, loss: Loss) -> int:
    """Return the number of classes that ``y`` tells of."""
    return int(y.max()) + 1 if loss == "softmax" else 2


def problem(x: Array, y: Array, loss: Loss, classes: int = 2) -> Problem:
    """Return the problem whose mean loss per example over the rows is to be minimised."""
    if loss == "softmax":
        return Multinomial(x, y, classes)
    if loss == "logistic":
        return Logistic(x, y)
    return WeightedLeastSquares(Table(x), y, np.full(len(y), 2 / len(y)))


def total_loss(model: Model, x: Array, y: Array, loss: Loss) -> float:
    """Return the sum of the losses of the rows, without any penalty."""
    z = model.scores(x)
    if loss == "softmax":
        return float((np.logaddexp.reduce(z, axis=1) - z[np.arange(len(z)), y.astype(np.intp)]).sum())
    return float((np.logaddexp(0.0, z) - y * z if loss == "logistic" else (y - z) ** 2).sum())


def checked(x: ArrayLike, y: ArrayLike, loss: Loss) -> tuple[Array, Array]:
    """Return the rows, in float64 unless they are floating numbers already, and the target in float64.

    Raises:
        ParameterError: shapes that are not (n, p) and (n,), values that are not finite, other classes.
    """
    rows, target = np.asarray(x), np.asarray(y, dtype=np.float64)
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    if rows.ndim != 2 or target.shape != rows.shape[:1] or not rows.size:
        raise ParameterError(
            "the exact solver takes a table x of shape (n, p) and y of shape (n,), neither empty; "
            f"got x {rows.shape} and y {target.shape}."
        )
    blocks = (rows[some] for some in slices(*rows.shape))
    if not all(float(np.abs(one).max()) < LARGEST for one in (*blocks, target)):
        raise ParameterError(
            f"the exact solver takes finite numbers below {LARGEST:g}; fill in or drop the missing ones."
        )
    if loss == "logistic" and not np.isin(target, (0, 1)).all():
        raise ParameterError(
            f"logistic regression takes classes 0 and 1 as y, got {np.unique(target)[:5].tolist()}."
        )
    if (
        loss == "softmax"
        and not ((target >= 0) & (target == np.floor(target)) & (target < len(target))).all()
    ):
        raise ParameterError(f"classes are numbered from 0, got {np.unique(target)[:5].tolist()} as y.")
    return rows, target


def allowed(l1: float, l2: float) -> Strengths:
    """Return the strengths.

    Raises:
        ParameterError: one is negative or not finite.
    """
    if not (0 <= l1 < np.inf and 0 <= l2 < np.inf):
        raise ParameterError(f"expected finite strengths of at least 0, got l1 {l1!r} and l2 {l2!r}.")
    return Strengths(l1, l2)

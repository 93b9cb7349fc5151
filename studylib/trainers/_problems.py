"""A loss by its name: the problem to solve, the checks of its data, the loss of held-out rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from studylib.errors import ParameterError
from studylib.trainers._least_squares import Coefficients, WeightedLeastSquares
from studylib.trainers._logistic import Logistic

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from studylib.trainers._quadratic import Array

Loss = Literal["squared", "logistic"]
LARGEST = 1e100  # squares of anything larger may overflow


def problem(x: Array, y: Array, loss: Loss) -> WeightedLeastSquares | Logistic:
    """Return the problem whose mean loss per example over the rows is to be minimised."""
    if loss == "logistic":
        return Logistic(x, y)
    return WeightedLeastSquares(x, y, np.full(len(y), 2 / len(y)))


def total_loss(model: Coefficients, x: Array, y: Array, loss: Loss) -> float:
    """Return the sum of the losses of the rows, without any penalty."""
    z = model.scores(x)
    return float((np.logaddexp(0.0, z) - y * z if loss == "logistic" else (y - z) ** 2).sum())


def checked(x: ArrayLike, y: ArrayLike, loss: Loss) -> tuple[Array, Array]:
    """Return the rows in float64.

    Raises:
        ParameterError: shapes that are not (n, p) and (n,), values that are not finite, other classes.
    """
    rows, target = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if rows.ndim != 2 or target.shape != rows.shape[:1] or not rows.size:
        raise ParameterError(
            "the exact solver takes a table x of shape (n, p) and y of shape (n,), neither empty; "
            f"got x {rows.shape} and y {target.shape}."
        )
    if not ((np.abs(rows) < LARGEST).all() and (np.abs(target) < LARGEST).all()):
        raise ParameterError(
            f"the exact solver takes finite numbers below {LARGEST:g}; fill in or drop the missing ones."
        )
    if loss == "logistic" and not np.isin(target, (0, 1)).all():
        raise ParameterError(
            f"logistic regression takes classes 0 and 1 as y, got {np.unique(target)[:5].tolist()}."
        )
    return rows, target

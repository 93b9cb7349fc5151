"""What a model says of the target of a row: one value or scores, or what several passes say."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# of the noise, in units of the train target's variance: what is met exactly keeps a finite density
LEAST_VARIANCE = 1e-12
STEPS = 1000
CONVERGED = 1e-10
ELEMENTS = 2**22  # that are looked at at once


@final
@dataclass(frozen=True)
class Predictive:
    """Predictions for n rows.

    Attributes:
        outputs: scores per class or values (n, k), what counts as the prediction.
        passes: what it is made of, (samples, n, k): draws of dropping, or one pass that is the prediction.
    """

    outputs: np.ndarray
    passes: np.ndarray

    @classmethod
    def of_one_pass(cls, outputs: np.ndarray) -> Predictive:
        """Return the predictions of a model that says the same each time."""
        return cls(outputs, outputs[None])


def noise_variance(passes: np.ndarray, y: np.ndarray) -> float:
    r"""Return the σ² that maximises the likelihood of ``y`` under a mixture of normal distributions.

    Σᵢ ln 1/S·Σₛ N(yᵢ; ŷₛᵢ, σ²), by expectation–maximisation from the mean squared error of all passes: each
    step is σ² ← mean over i of Σₛ rₛᵢ·(yᵢ − ŷₛᵢ)², with rₛᵢ ∝ N(yᵢ; ŷₛᵢ, σ²), and none lowers the likelihood.
    For one pass it is the mean squared error. It is at least 1e-12.

    Args:
        passes: ŷ, shape (samples, n).
        y: the targets of rows that no weight was fitted to, shape (n,), in the same unit.
    """
    squares = (passes.astype(np.float64) - y) ** 2
    variance = max(float(squares.mean()), LEAST_VARIANCE)
    if len(passes) == 1:
        return variance
    for _ in range(STEPS):
        share = np.exp((squares.min(axis=0) - squares) / (2 * variance))
        before, variance = variance, float(((share * squares).sum(axis=0) / share.sum(axis=0)).mean())
        variance = max(variance, LEAST_VARIANCE)
        if abs(before - variance) <= CONVERGED * before:
            break
    return variance


def log_densities(passes: np.ndarray, y: np.ndarray, variance: float) -> NDArray[np.float64]:
    """Return ln 1/S·Σₛ N(yᵢ; ŷₛᵢ, σ²) of each row, shape (n,), in nats.

    Source: Gal and Ghahramani (2016), https://arxiv.org/abs/1506.02142, with σ² = 1/τ.

    Args:
        passes: ŷ, shape (samples, n).
        y: targets, shape (n,).
        variance: σ² > 0, in the unit of the target, squared.
    """
    rows = max(1, ELEMENTS // len(passes))
    parts = [
        _mixed(passes[:, first : first + rows].astype(np.float64) - y[first : first + rows], variance)
        for first in range(0, len(y), rows)
    ]
    return np.concatenate(parts) - log(2 * pi * variance) / 2


def _mixed(errors: np.ndarray, variance: float) -> np.ndarray:
    """Return ln of the mean of exp(−e²/2σ²) over the first axis; the largest term is taken out before."""
    exponents = -(errors**2) / (2 * variance)
    largest = exponents.max(axis=0)
    mixed: np.ndarray = largest + np.log(np.exp(exponents - largest).mean(axis=0))
    return mixed

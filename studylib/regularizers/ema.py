"""Exponential moving average. Source: Polyak and Juditsky (1992), https://doi.org/10.1137/0330046

They average all weights alike; this average forgets. The warm-up is the polynomial-decay average of Shamir
and Zhang (2013), https://arxiv.org/abs/1212.1824, with η = 8; TensorFlow's (1 + t)/(10 + t) is the same two
steps later.
"""

from __future__ import annotations

from typing import Annotated, final

from pydantic import Field

from studylib.regularizers.base import Averaging


@final
class Ema(Averaging):
    r"""w̄ₜ = dₜ·w̄ₜ₋₁ + (1 − dₜ)·wₜ at every step: a mean of about the last 1/(1 − decay) weights.

    dₜ = min(decay, (t − 1)/(t + 8)): while training is short, the mean is of about its last ninth, however
    close to 1 ``decay`` is. d₁ = 0, so that the initial weights are no part of it.

    Formula: \bar w_t = d_t\bar w_{t-1} + (1 - d_t)w_t, \quad d_t = \min\left(\text{decay},\ \frac{t - 1}{t + 8}\right)

    Use: When the loss is noisy from step to step, with small batches or a high learning rate; it never asks
    when to begin.

    Traps: Without a warm-up, 0.999 still holds a third of the initial weights after a thousand steps. A
    decay is a number of steps, and so another share of training for every dataset and batch size. The
    statistics of normalisation have to be renewed.
    """  # noqa: E501  a formula is one line

    decay: Annotated[
        float, Field(ge=0, lt=1, description="share of the old average that stays at a step; 0 is off")
    ]

    def share(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Return 1 − dₜ, the larger of 1 − decay and 9/(t + 8)."""
        return max(1 - self.decay, 9 / (step + 8))


EXAMPLE = Ema(decay=0.99)

"""Optimizers of ``torch.optim`` without its bookkeeping, which costs more than the update of a small network.

The numbers are those of ``torch.optim``, to the last bit. Weight decay is a regularizer here, so there is
none. Each also says what its last step multiplied a gradient by, which a proximal map has to know.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self, final

import torch
from torch import Tensor

if TYPE_CHECKING:
    from studylib.trainers.base import Training


class Optimizer(ABC):
    """Moves a list of weights along their gradients; the learning rate may be another in each step."""

    @abstractmethod
    def step(self, gradients: list[Tensor], learning_rate: float | Tensor) -> None:
        """Move every weight, all of them in one fused kernel; called without gradients being recorded."""

    @abstractmethod
    def reach(self, w: Tensor) -> Tensor | float:
        """Return what a lasting gradient of ``w`` was multiplied by in the last step."""

    @abstractmethod
    def memory(self) -> list[Tensor]:
        """Return what it remembers of each weight, tensors of the shapes of the weights."""

    @abstractmethod
    def follow(self, other: Self) -> None:
        """Count the steps on from those of ``other``; ``memory`` is another matter."""


@final
class SGD(Optimizer):
    """v ← μ·v + g, w ← w − η·v."""

    def __init__(self, weights: Iterable[Tensor], momentum: float) -> None:
        self._weights = list(weights)
        self._velocity = [torch.zeros_like(w) for w in self._weights] if momentum else []
        self._learning_rate: float | Tensor = 0.0
        self._momentum = momentum

    def step(self, gradients: list[Tensor], learning_rate: float | Tensor) -> None:
        self._learning_rate = learning_rate
        torch._fused_sgd_(
            self._weights,
            gradients,
            self._velocity,
            weight_decay=0.0,
            momentum=self._momentum,
            lr=learning_rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
        )

    def reach(self, w: Tensor) -> Tensor | float:  # noqa: ARG002  the same for all
        """Return η·(1 + μ + μ² + …)."""
        return self._learning_rate / (1 - self._momentum)

    def memory(self) -> list[Tensor]:
        return self._velocity

    def follow(self, other: Self) -> None:
        self._learning_rate = other._learning_rate


@final
class AdamW(Optimizer):
    """m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², w ← w − η·m̂/(√v̂ + ε).

    Source: Loshchilov and Hutter (2019), https://arxiv.org/abs/1711.05101
    """

    BETAS = (0.9, 0.999)
    EPS = 1e-8

    def __init__(self, weights: Iterable[Tensor]) -> None:
        self._weights = list(weights)
        self._mean = [torch.zeros_like(w) for w in self._weights]
        self._square = {w: torch.zeros_like(w) for w in self._weights}
        # how many steps, counted once for all weights: as many tensors take six times as long to add to
        self._steps = [torch.zeros((), device=self._weights[0].device)] * len(self._weights)
        self._learning_rate: float | Tensor = 0.0

    def step(self, gradients: list[Tensor], learning_rate: float | Tensor) -> None:
        self._learning_rate = learning_rate
        self._steps[0].add_(1)
        torch._fused_adamw_(
            self._weights,
            gradients,
            self._mean,
            list(self._square.values()),
            [],
            self._steps,
            lr=learning_rate,
            beta1=self.BETAS[0],
            beta2=self.BETAS[1],
            weight_decay=0.0,
            eps=self.EPS,
            amsgrad=False,
            maximize=False,
        )

    def reach(self, w: Tensor) -> Tensor:
        """Return η/(√v̂ + ε), per element."""
        steps = self._steps[0]  # which a GPU is not asked for, since that would have to wait for it
        correction = 1 - self.BETAS[1] ** (steps.double() if steps.is_cuda else steps.item())
        return (self._square[w] / correction).sqrt_().add_(self.EPS).reciprocal_().mul_(self._learning_rate)

    def memory(self) -> list[Tensor]:
        return [*self._mean, *self._square.values()]

    def follow(self, other: Self) -> None:
        self._learning_rate = other._learning_rate
        self._steps[0].copy_(other._steps[0])


def optimizer(weights: Iterable[Tensor], training: Training) -> Optimizer:
    """Return the optimizer that ``training`` asks for."""
    return SGD(weights, training.momentum) if training.optimizer == "sgd" else AdamW(weights)

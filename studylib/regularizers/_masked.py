"""Layers whose weights are dropped one by one."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn

from studylib.regularizers._layers import Remade, deviation, dialled

if TYPE_CHECKING:
    from studylib.regularizers.base import Regularizer
    from studylib.seeds import Draws


class Masked(Remade):
    """A layer with masks on its weight, not on its bias, in training; as it was in evaluation.

    Attributes:
        gaussian: whether sampling in evaluation draws outputs with the masks' mean and variance, not masks.
    """

    weight: nn.Parameter

    def __init__(self, technique: Regularizer, noise: Draws, layer: nn.Module, *, gaussian: bool) -> None:
        super().__init__(technique, noise, layer)
        self.weight = layer.weight  # type: ignore[assignment]  # response() knows the layer
        self.gaussian = gaussian

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, …) for inputs (n, …)."""
        if not self.drawing:
            return self.respond(x, self.weight, self.bias)
        return self._drawn(x) if self.gaussian and not self.training else self._masked(x)

    @property
    def rate(self) -> Tensor | float:
        """The probability that a weight is dropped, as it is now."""
        return dialled(self.technique)

    @abstractmethod
    def _masked(self, x: Tensor) -> Tensor:
        """Return (M∗W)v + b for a draw of the masks M, which are 0 or 1/(1 − rate)."""

    def _drawn(self, x: Tensor) -> Tensor:
        mean = self.respond(x, self.weight, self.bias)
        odds = self.rate / (1 - self.rate)
        noise = self.noise.normal(*mean.shape, like=mean)
        return mean + deviation(self.respond, x, odds * self.weight.square()) * noise


@final
class MaskedByBatch(Masked):
    """One mask for all examples of a batch."""

    def _masked(self, x: Tensor) -> Tensor:
        mask = self.noise.keep(*self.weight.shape, rate=self.rate, like=self.weight)
        return self.respond(x, self.weight * mask, self.bias)


@final
class MaskedByExample(Masked):
    """A mask for each example of a batch."""

    def _masked(self, x: Tensor) -> Tensor:
        # Wv + b + ((M − 1)∗W)v is the plain layer bit for bit where nothing is dropped
        masks = self.noise.keep(len(x), *self.weight.shape, rate=self.rate, like=self.weight)
        return self.respond(x, self.weight, self.bias) + self._each(x, self.weight * (masks - 1))

    def _each(self, x: Tensor, weights: Tensor) -> Tensor:
        if self.weight.ndim == 2:
            return torch.einsum("n...i,noi->n...o", x, weights)
        # every example is a group of channels of one wide example
        wide = x.reshape(1, -1, *x.shape[2:])
        outputs = self.respond(wide, weights.flatten(0, 1), None, groups=len(x) * self.groups)
        return outputs.reshape(len(x), -1, *outputs.shape[2:])

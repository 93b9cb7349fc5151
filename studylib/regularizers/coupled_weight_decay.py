"""Coupled weight decay. Source: Loshchilov and Hutter (2019), https://arxiv.org/abs/1711.05101

Their "L2 regularization", against which they set ``weight_decay``; first: Krogh and Hertz (1991).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

from studylib.regularizers.base import ByLayer, CoupledDecay, Strength, strength_of

if TYPE_CHECKING:
    from torch import Tensor


@final
class CoupledWeightDecay(CoupledDecay):
    r"""g ← g + λ·w before the optimizer's step: what torch's SGD and Adam call ``weight_decay``.

    It is the gradient of λ/2·Σw², so it is ``l2`` at half the strength, without being part of the loss. With
    plain SGD it is ``weight_decay`` as well. Adam divides it by √v̂ like the rest of the gradient: a weight
    with large gradients is shrunk less, one with small gradients more.

    Formula: g \leftarrow g + \lambda w

    Use: To see what the decoupling of weight_decay changes, or to repeat results that were got with it.

    Traps: The same λ means another thing in each optimizer: Adam makes the first step equally long whatever λ
    is, and momentum takes it into the velocity. With plain SGD it is weight_decay at the same λ.
    """

    strength: Strength
    by_layer: ByLayer = {}  # noqa: RUF012  pydantic copies it

    def turned(self, factor: Tensor | float) -> Self:
        """Return it with ``factor`` times every strength, those of single layers too."""
        own = {pattern: factor * strength for pattern, strength in self.by_layer.items()}
        return super().turned(factor).model_copy(update={"by_layer": own})

    def share(self, layer: str) -> float:
        """Return λ of ``layer``."""
        return strength_of(layer, self.by_layer, self.strength)


EXAMPLE = CoupledWeightDecay(strength=0.001)

"""Decoupled weight decay, AdamW's. Source: Loshchilov and Hutter (2019), https://arxiv.org/abs/1711.05101"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, final

from studylib.errors import ParameterError
from studylib.regularizers.base import ByLayer, Decay, Strength, strength_of

if TYPE_CHECKING:
    from torch import Tensor


@final
class WeightDecay(Decay):
    r"""w ← (1 − learning rate·λ)·w before each step: shrinkage apart from the gradient.

    As in AdamW, the shrinkage is still multiplied by the learning rate, so λ has to be chosen anew when that
    changes. It is not ``l2``: Adam's preconditioner does not rescale it.

    Formula: w \leftarrow (1 - \eta\lambda)\, w

    Use: The usual companion of Adam. How long training lasts is part of its strength: T steps without a
    gradient leave about exp(−η·λ·T) of a weight.

    Traps: It is called decoupled, but AdamW's λ still moves with the learning rate. Beside Adam it is the
    gradient of no penalty, so it ends at the minimum of no objective. On weights before a normalisation it
    leaves the function alone, and raises the effective learning rate.
    """

    strength: Strength
    by_layer: ByLayer = {}  # noqa: RUF012  pydantic copies it

    def turned(self, factor: Tensor | float) -> Self:
        """Return it with ``factor`` times every strength, those of single layers too."""
        own = {pattern: factor * strength for pattern, strength in self.by_layer.items()}
        return super().turned(factor).model_copy(update={"by_layer": own})

    def factor(self, layer: str, learning_rate: float) -> float:
        """Return 1 − learning rate·λ of ``layer``, from 0 to 1.

        Raises:
            ParameterError: the product is above 1, and the weights would change their signs.
        """
        strength = strength_of(layer, self.by_layer, self.strength)
        shrinkage = learning_rate * strength
        if isinstance(shrinkage, int | float) and shrinkage > 1:  # a tensor of replicas cannot be asked
            raise ParameterError(
                f"weight_decay: expected learning_rate × strength of at most 1, got {learning_rate:g} × "
                f"{strength:g}, which would flip the sign of every weight. Lower one of the two."
            )
        return 1 - shrinkage


EXAMPLE = WeightDecay(strength=0.01)

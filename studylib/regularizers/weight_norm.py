"""Weight normalisation. Source: Salimans and Kingma (2016), https://arxiv.org/abs/1602.07868"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, final

from studylib.regularizers.base import LayerRewiring

if TYPE_CHECKING:
    from torch import nn

    from studylib.seeds import Draws


@final
class WeightNorm(LayerRewiring):
    r"""w = g·v/‖v‖ per output unit: its length g and its direction v are learned apart.

    The weight is at first that of the plain layer, v, with g = ‖v‖. The scaling of g and b by a first batch,
    which the paper proposes for the start, is left out: all arms begin with the same function.

    Formula: w = g\,\frac{v}{\lVert v \rVert}

    Use: For conditioning like that of ``batch_norm`` without noise from the batch, where batches are small.

    Traps: The size of v changes nothing but the learning rate of the direction, and grows with every step of
    SGD. Decay is therefore that of g; decay of v, as optimizers with a weight decay for all parameters have
    it, regularises nothing.
    """

    fits: ClassVar[frozenset[str]] = frozenset({"linear", "convolution"})
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]] = "made"
    draws: ClassVar[bool] = False

    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        """Return the layer with a weight that is made of g and v; it draws nothing from ``noise``."""
        from studylib.regularizers._normalised import WeightNormalised

        return WeightNormalised(layer, self.name)


EXAMPLE = WeightNorm()

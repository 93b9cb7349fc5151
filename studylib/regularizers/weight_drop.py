"""DropConnect on recurrent weights. Source: Merity, Keskar and Socher (2018), https://arxiv.org/abs/1708.02182"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, final

from studylib.regularizers.base import LayerRewiring, Layers, Rate

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studylib.seeds import Draws


@final
class WeightDrop(LayerRewiring):
    r"""U·M/(1 − rate) with M ~ Bernoulli(1 − rate) per weight: one mask for all steps of a whole batch.

    It acts on the hidden-to-hidden weights, in training only, so the recurrence itself may run fused. Kept
    weights are scaled up, so that evaluation uses them as they are; what is penalised and decayed is the
    whole weight. ``layers`` is ``recurrent`` by default; ``input`` is the matrix of what comes in.

    Formula: \tilde U = U \odot M / (1 - r), \quad M_{ij} \sim \mathrm{Bernoulli}(1 - r) \text{ per batch}

    Use: For recurrent networks that overfit, where it costs next to nothing; the authors take 0.5.

    Traps: All sequences of a batch share the mask, so small batches regularize more evenly. Code that
    changes the weights of a torch module in place loses them, or their gradients: the raw weight has to stay
    the parameter.
    """

    fits: ClassVar[frozenset[str]] = frozenset({"recurrent"})
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]] = "parameter"

    layers: Layers = "recurrent"
    rate: Rate

    def drop(self, w: Tensor, noise: Draws) -> Tensor:
        """Return the weights ``w``, of any shape, with a draw of its own for each."""
        return w * noise.keep(*w.shape, rate=self.rate, like=w)

    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        from studylib.regularizers._sequences import DroppedWeights

        return DroppedWeights(self, noise, layer)


EXAMPLE = WeightDrop(rate=0.5)

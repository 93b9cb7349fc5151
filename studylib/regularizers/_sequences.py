"""The torch modules that rewirings put in the place of layers of a sequence model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast, final

from torch.nn import functional

from studylib.regularizers._modules import Noisy

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studylib.regularizers.base import Regularizer
    from studylib.seeds import Draws


class DropsWeights(Protocol):
    """Takes weights away."""

    def drop(self, w: Tensor, noise: Draws) -> Tensor:
        """Return the weights of one pass."""


class DropsWords(Protocol):
    """Takes words away."""

    def kept(self, text: Tensor, table: Tensor, noise: Draws) -> Tensor:
        """Return what the vectors of ``text`` (n, length), rows of ``table``, are multiplied by."""


@final
class DroppedWeights(Noisy):
    """The weights of a recurrence, of which a technique takes some away throughout a pass in training.

    ``weight`` is the whole of it, which optimizer and penalties see.
    """

    def __init__(self, technique: Regularizer, noise: Draws, layer: nn.Module) -> None:
        super().__init__(technique, noise)
        self.weight = layer.get_parameter("weight")
        self.bias = layer.get_parameter("bias")

    def forward(self) -> tuple[Tensor, Tensor]:
        """Return weight and bias of this pass."""
        if not self.drawing:
            return self.weight, self.bias
        return cast("DropsWeights", self.technique).drop(self.weight, self.noise), self.bias


@final
class DroppedWords(Noisy):
    """Word vectors, of which a technique takes some away in training; ``weight`` is the whole table."""

    def __init__(self, technique: Regularizer, noise: Draws, layer: nn.Module) -> None:
        super().__init__(technique, noise)
        self.weight = layer.get_parameter("weight")
        self.bias = None

    def forward(self, text: Tensor) -> Tensor:
        """Return the vectors (n, length, dimension) of the words."""
        vectors = functional.embedding(text, self.weight)
        if not self.drawing:
            return vectors
        return vectors * cast("DropsWords", self.technique).kept(text, self.weight, self.noise)

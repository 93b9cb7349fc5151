"""The module that mixes the examples of a batch inside a model; imported only when one is built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from studylib.regularizers._modules import Noisy

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.regularizers.base import Regularizer
    from studylib.seeds import Draws


@final
class Mixing(Noisy):
    """What embedding mixup does to word vectors in training, the identity in evaluation; nothing to save.

    It does nothing either where dropping goes on for predictions: those are of one example each.
    """

    technique: Any  # an EmbeddingMixup, whose file imports this one

    def __init__(self, technique: Regularizer, noise: Draws) -> None:
        super().__init__(technique, noise)

    def forward(self, h: Tensor) -> Tensor:
        """Return word vectors of the shape of ``h``."""
        mixed: Tensor = self.technique.mixed(h, self.noise) if self.training else h
        return mixed

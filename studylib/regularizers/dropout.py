"""Dropout of single units. Source: Hinton et al. (2012), https://arxiv.org/abs/1207.0580"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Rate, Rewiring

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studylib.seeds import Noise


@final
class Dropout(Rewiring):
    """h·m/(1 − rate) with m ~ Bernoulli(1 − rate) per unit and example, in training only.

    Inverted: kept units are scaled up in training, so that evaluation uses the model as it is.
    """

    places: ClassVar[frozenset[str]] = frozenset({"units", "factors"})

    rate: Rate

    def module(self, width: int, noise: Noise) -> nn.Module:
        """Return the module that drops in training; ``width`` does not matter."""
        from studylib.regularizers._modules import Stochastic

        return Stochastic(self.drop, noise)

    def drop(self, h: Tensor, noise: Noise) -> Tensor:
        """Return ``h``, of any shape, with a draw of its own for each element."""
        return h * noise.keep(*h.shape, rate=self.rate, like=h)


EXAMPLE = Dropout(rate=0.5)

"""Dropout of single units. Source: Hinton et al. (2012), https://arxiv.org/abs/1207.0580"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Dropping, Rate

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.regularizers.base import Site
    from studylib.seeds import Draws


@final
class Dropout(Dropping):
    r"""h·m/(1 − rate) with m ~ Bernoulli(1 − rate) per unit and example, in training only.

    Inverted: kept units are scaled up in training, so that evaluation uses the model as it is.

    Formula: \tilde h = \frac{m \ast h}{1 - p}, \qquad m_i \sim \operatorname{Bernoulli}(1 - p)

    Use: For fully connected layers that fit the train rows far better than others; 0.5 is a usual rate there,
    0.2 for inputs.

    Traps: It needs wider layers and a longer training than without. Before ``batch_norm`` it makes the
    variance in training another one than in evaluation. Between neighbouring pixels it hides little: use
    ``spatial_dropout``.
    """

    elementwise: ClassVar[bool] = True
    places: ClassVar[frozenset[str]] = frozenset({"units", "factors"})

    rate: Rate

    def drop(self, h: Tensor, noise: Draws, site: Site) -> Tensor:
        """Return ``h``, of any shape, with a draw of its own for each element."""
        return h * noise.keep(*h.shape, rate=self.rate, like=h)


EXAMPLE = Dropout(rate=0.5)

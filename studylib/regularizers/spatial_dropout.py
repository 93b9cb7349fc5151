"""Dropout of whole channels. Source: Tompson et al. (2015), https://arxiv.org/abs/1411.4280"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.errors import StudyError
from studylib.regularizers.base import Dropping, Rate

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.regularizers.base import Site
    from studylib.seeds import Draws

# the axes along which a channel extends, by the number of axes: height and width, or the words
POSITIONS = {4: (2, 3), 3: (1,)}


@final
class SpatialDropout(Dropping):
    r"""h·m/(1 − rate) with m ~ Bernoulli(1 − rate) per channel and example, in training only.

    Neighbouring pixels of a map say nearly the same, so dropping them singly hides little; here a channel is
    dropped at all its positions together. Inverted, like ``dropout``.

    Formula: \tilde h_{cxy} = \frac{m_c\, h_{cxy}}{1 - p}, \qquad m_c \sim \operatorname{Bernoulli}(1 - p)

    Use: After convolutions and on word vectors, where neighbouring values say nearly the same.

    Traps: A channel is much to lose where there are few: smaller rates than for ``dropout``. Which axis holds
    the channels differs between maps and text, and torch's own layer takes (n, length, channels) for maps and
    drops whole words.
    """

    places: ClassVar[frozenset[str]] = frozenset({"maps", "embedding"})

    rate: Rate

    def drop(self, h: Tensor, noise: Draws, site: Site) -> Tensor:
        """Return maps (n, channels, height, width) or embedded words (n, length, channels), channels dropped.

        Raises:
            StudyError: any other number of axes, where the channels could not be told.
        """
        if h.ndim not in POSITIONS:
            raise StudyError(
                f"spatial_dropout: expected maps (n, channels, height, width) or embedded words (n, length, "
                f"channels), got shape {tuple(h.shape)}. For single units use dropout."
            )
        draws = [1 if axis in POSITIONS[h.ndim] else size for axis, size in enumerate(h.shape)]
        return h * noise.keep(*draws, rate=self.rate, like=h)


EXAMPLE = SpatialDropout(rate=0.2)

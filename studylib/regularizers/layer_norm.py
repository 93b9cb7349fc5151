"""Layer normalisation. Source: Ba, Kiros and Hinton (2016), https://arxiv.org/abs/1607.06450"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Rewiring

if TYPE_CHECKING:
    from torch import nn

    from studylib.regularizers.base import Site
    from studylib.seeds import Draws


@final
class LayerNorm(Rewiring):
    r"""γ·(h − mean)/√(variance + 10⁻⁵) + β over the units of each example: no example depends on another.

    Units (n, channels) are normalised over the channels, maps (n, channels, height, width) over channels and
    positions together; scale γ and shift β are learned for each channel. Evaluation is like training.

    Formula: \gamma_c\,\frac{h_{c} - \mu}{\sqrt{\sigma^2 + 10^{-5}}} + \beta_c, \qquad \mu, \sigma^2 \text{ of all } h_{c} \text{ of the example}

    Use: Where batches are small or differ from what comes later, and ``batch_norm`` is unreliable.

    Traps: It brings no noise, and so regularises less than ``batch_norm``; its authors found it worse in
    convolutional networks. For maps, ``torch.nn.LayerNorm`` would learn a scale for every position; this is
    ``torch.nn.GroupNorm`` with one group. Of two units it leaves only which is larger,
    and of one unit nothing.
    """  # noqa: E501  a formula is one line

    places: ClassVar[frozenset[str]] = frozenset({"normalisation"})

    def module(self, site: Site, noise: Draws) -> nn.Module:
        """Return the normalisation of the channels of ``site``; it draws nothing from ``noise``."""
        from studylib.regularizers._normalisations import LayerNormalisation

        return LayerNormalisation(site.width)


EXAMPLE = LayerNorm()

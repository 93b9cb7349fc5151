"""Spectral normalisation. Source: Miyato et al. (2018), https://arxiv.org/abs/1802.05957

The exact norms of convolutions are those of Sedghi, Gupta and Long (2019), https://arxiv.org/abs/1805.10408
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import LayerRewiring

if TYPE_CHECKING:
    from torch import nn

    from studylib.seeds import Draws


@final
class SpectralNorm(LayerRewiring):
    r"""W/σ(W) with the largest singular value σ: no input is made longer, and the layer is 1-Lipschitz.

    With ``method="power"``, as in the paper and in torch, σ is that of W as a matrix (outputs, all else), and
    follows the weight by one power iteration per training step; reading the weight does not iterate.
    ``exact`` decomposes W in every pass. For a convolution it is then a bound of the operator norm for inputs
    of any size: the largest gain of any frequency, and at most 1 % more per axis. Zero padding and stride
    only lower the norm.

    Formula: \bar W = \frac{W}{\sigma(W)}, \qquad \sigma(W) = \max_{v \ne 0} \frac{\lVert W v \rVert}{\lVert v \rVert}, \qquad \text{convolution: } \sigma = \max_\omega \sigma\Bigl(\sum_t W_t\, e^{-i \omega t}\Bigr)

    Use: Where outputs must not jump with small changes of the inputs, as under adversarial noise or in critics.

    Traps: A network that cannot stretch anything cannot reach large scores either: leave the output layer
    free by ``layers``. With ``power`` a convolution is not 1-Lipschitz: a 3×3 one stretched by 1.8. Decay of W
    changes only the learning rate. Every read of torch's weight in training is another iteration, and
    another weight.
    """  # noqa: E501  a formula is one line

    fits: ClassVar[frozenset[str]] = frozenset({"linear", "convolution"})
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]] = "normed"
    draws: ClassVar[bool] = False

    method: Annotated[
        Literal["power", "exact"],
        Field(description="power iteration on W as a matrix, or the norm of what the layer does"),
    ] = "power"

    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        """Return the layer with a normed weight; power iteration begins at a draw of ``noise``."""
        from studylib.regularizers._normalised import ExactNormalised, PowerNormalised

        if self.method == "exact":
            return ExactNormalised(layer, self.name)
        return PowerNormalised(layer, self.name, noise)


EXAMPLE = SpectralNorm()

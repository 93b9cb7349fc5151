"""Variational dropout that prunes. Source: Molchanov et al. (2017), https://arxiv.org/abs/1701.05369

Outputs instead of weights are drawn as in Kingma, Salimans and Welling (2015), https://arxiv.org/abs/1506.02557
"""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import LayerRewiring, Strength

if TYPE_CHECKING:
    from torch import nn

    from studylib.seeds import Draws


@final
class SparseVariationalDropout(LayerRewiring):
    r"""w ~ N(θ, σ²) with θ and σ learned: weights that are nearly noise alone, σ² ≫ θ², become exactly 0.

    The loss gets the divergence from a log-uniform prior by the approximation of Molchanov et al., once for all
    N train rows. ``strength`` is the training loss of one nat: 1 for the cross-entropy, 2·(noise variance)
    for the squared error. In training each output is drawn by itself from its own mean and variance; in
    evaluation the weight is θ, without the entries whose log(σ²/θ²) is above ``threshold``.

    Formula: \alpha = \frac{\sigma^2}{\theta^2}, \qquad \frac{\lambda}{N} \sum \Bigl(k_1 - k_1 \operatorname{sigmoid}(k_2 + k_3 \log \alpha) + \tfrac12 \log(1 + \alpha^{-1})\Bigr), \qquad k = (0.63576,\ 1.87320,\ 1.48695)

    Use: For networks much larger than the data need, when few weights are to remain.

    Traps: At full strength from the first step most weights are pruned before they learn anything: raise it
    over some epochs by a schedule. Small weights count as noise from the beginning if ``initial_std`` is large
    against them. The divergence does not know the size of a weight: ``l2`` beside it shrinks θ, and prunes more.
    """  # noqa: E501  a formula is one line

    fits: ClassVar[frozenset[str]] = frozenset({"linear", "convolution"})
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]] = "made"

    strength: Strength = 1.0
    threshold: Annotated[
        float,
        Field(gt=0, description="of log(σ²/θ²), above which a weight is 0; 3 is a dropout rate of 0.95"),
    ] = 3.0
    initial_std: Annotated[float, Field(gt=0, description="σ before training")] = exp(-5)

    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        """Return the layer with noise on its weights, and the noise's size among its parameters."""
        from studylib.regularizers._variational import SparseVariational

        return SparseVariational(
            self, noise, layer, rows, initial_std=self.initial_std, threshold=self.threshold
        )


EXAMPLE = SparseVariationalDropout()

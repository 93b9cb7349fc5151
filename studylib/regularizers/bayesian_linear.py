"""Weights with a distribution. Source: Blundell et al. (2015), https://arxiv.org/abs/1505.05424

Outputs instead of weights are drawn as in Kingma, Salimans and Welling (2015), https://arxiv.org/abs/1506.02557
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import LayerRewiring, Strength

if TYPE_CHECKING:
    from torch import nn

    from studylib.seeds import Draws


@final
class BayesianLinear(LayerRewiring):
    r"""w ~ N(μ, σ²) with μ and σ learned against the prior N(0, prior_std²): as sure as the data allow.

    The loss gets the divergence from the prior in closed form, once for all N train rows, where Blundell et al.
    sample it for a prior that is a mixture. ``strength`` is the training loss of one nat: 1 for the
    cross-entropy, 2·(noise variance) for the squared error. In training each output is drawn by itself, not
    the weights: gradients vary less, and examples do not share a draw. Evaluation uses μ; ``mc_dropout``
    averages over draws. The bias is a number, and has no prior.

    Formula: u \sim \mathcal N\bigl(\mu v + b,\ \sigma^2 (v \ast v)\bigr), \quad \sigma = \log(1 + e^\rho), \qquad \frac{\lambda}{N} \sum \Bigl(\log\frac{s}{\sigma} + \frac{\sigma^2 + \mu^2}{2 s^2} - \frac12\Bigr)

    Use: When it matters how sure a prediction is, on small data; together with ``mc_dropout``.

    Traps: Wide layers have so many weights that the divergence can outweigh the data, and all of them return
    to the prior: lower ``strength``, or raise it over some epochs. The prior is an ``l2`` already: with both,
    weights pay twice.
    """  # noqa: E501  a formula is one line

    fits: ClassVar[frozenset[str]] = frozenset({"linear"})
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]] = "parameter"

    strength: Strength = 1.0
    prior_std: Annotated[float, Field(gt=0, description="standard deviation of a weight before any data")] = (
        0.1
    )
    initial_std: Annotated[float, Field(gt=0, description="σ before training")] = 0.01

    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        """Return the layer with noise on its weights, and the noise's size among its parameters."""
        from studylib.regularizers._variational import Gaussian

        return Gaussian(self, noise, layer, rows, initial_std=self.initial_std, prior_std=self.prior_std)


EXAMPLE = BayesianLinear()

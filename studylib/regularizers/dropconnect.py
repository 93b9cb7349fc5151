"""Dropout of single weights. Source: Mobiny et al. (2021), https://doi.org/10.1038/s41598-021-84854-x

They sample it at prediction too. It is due to Wan, Zeiler, Zhang, LeCun and Fergus (2013), Regularization
of Neural Networks using DropConnect, Proceedings of Machine Learning Research 28(3), which has no DOI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import LayerRewiring, Rate

if TYPE_CHECKING:
    from torch import nn

    from studylib.seeds import Draws


@final
class DropConnect(LayerRewiring):
    r"""(M∗W)v/(1 − rate) + b with M ~ Bernoulli(1 − rate) per weight and example, in training only.

    Inverted, like ``dropout``: kept weights are scaled up in training, so that evaluation uses W, the mean.
    ``rate`` is the probability to drop, where p of Wan et al. is that to keep. They drop biases too; here a
    bias stays. ``masks="batch"``, one mask for all examples, is what most code does instead: cheaper, with the
    same mean, but gradients that vary more. With ``mc_dropout`` in the arm, passes at prediction draw masks, or
    with ``inference="moments"`` outputs with the masks' mean and variance for each output by itself.

    Formula: u = \frac{(M \ast W)\,v}{1 - p} + b, \quad M_{ij} \sim \operatorname{Bernoulli}(1 - p), \qquad \text{moments: } u \sim \mathcal N\Bigl(W v + b,\ \tfrac{p}{1 - p}\,(W \ast W)(v \ast v)\Bigr)

    Use: For a wide fully connected layer that overfits, named by ``layers``, where ``dropout`` is too coarse.

    Traps: Wan et al. predict with the mean of the activation over draws of u; that is ``inference="moments"``
    with ``mc_dropout``, which averages over draws of all layers at the end of the network instead. Without
    ``mc_dropout`` evaluation uses the mean of u, and ``inference`` changes nothing. Masks per example cost
    as many weights as there are examples times weights; "drop connect" in EfficientNets is stochastic depth.
    """  # noqa: E501  a formula is one line

    fits: ClassVar[frozenset[str]] = frozenset({"linear", "convolution"})
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]] = "parameter"

    rate: Rate
    masks: Annotated[
        Literal["example", "batch"], Field(description="whether each example has a mask of its own")
    ] = "example"
    inference: Annotated[
        Literal["mean", "moments"],
        Field(description="what passes of mc_dropout draw: masks around the mean, or Gaussians like them"),
    ] = "mean"

    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        """Return the layer with masks; its parameters keep their names."""
        from studylib.regularizers._masked import MaskedByBatch, MaskedByExample

        masked = MaskedByExample if self.masks == "example" else MaskedByBatch
        return masked(self, noise, layer, gaussian=self.inference == "moments")


EXAMPLE = DropConnect(rate=0.5)

"""Penalty on confident outputs. Source: Pereyra et al. (2017), https://arxiv.org/abs/1701.06548"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, final

from studylib.regularizers.base import OutputPenalty, Strength

if TYPE_CHECKING:
    from torch import Tensor


@final
class ConfidencePenalty(OutputPenalty):
    r"""λ·(log K − H(p)): costs entropy that the predicted distribution p over K classes lacks.

    The paper adds −λ·H(p). The constant λ·log K changes no gradient and makes it a cost, which is 0 where all
    classes are equally likely: λ·KL(p ‖ uniform), a mean over the batch. Label smoothing adds the divergence
    the other way round, KL(uniform ‖ p), which grows without bound where this one stays below λ·log K.

    Formula: \lambda\,\frac{1}{n} \sum_{i=1}^{n} \Bigl(\log K + \sum_{k=1}^{K} p_{ik} \log p_{ik}\Bigr)

    Use: Models that are too sure of themselves, where the targets must stay as they are; otherwise label
    smoothing does much the same.

    Traps: It raises entropy on rows that are easy as well: probabilities come out too low when it is strong,
    though their order stays. Code that takes the logarithm of a softmax gives NaN for scores far apart.
    """

    strength: Strength

    def value(self, outputs: Tensor) -> Tensor:
        """Return λ times the mean of log K − entropy over the rows."""
        classes = outputs.shape[1]
        # logarithm of p against 1/K; below −800 nothing is left of p, and 0·∞ would not be a number
        ratio = (outputs.log_softmax(dim=1) + log(classes)).clamp(min=-800)
        # with r = K·p each term of the mean of r·log r − r + 1 is at least 0, so that the sum is, too
        lacking = (ratio.exp() * ratio - ratio.expm1()).mean(dim=1)
        return self.strength * lacking.mean()


EXAMPLE = ConfidencePenalty(strength=0.1)

"""Monte Carlo dropout. Source: Gal and Ghahramani (2016), https://arxiv.org/abs/1506.02142"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import Sampling

if TYPE_CHECKING:
    from torch import Tensor


@final
class McDropout(Sampling):
    r"""p̂ = (1/S)·Σₛ softmax(zₛ): predictions averaged over S draws of dropout, as over an ensemble.

    Probabilities are averaged, not scores: what comes out are their logarithms, which are scores again, with
    a softmax that is p̂ itself. Values, of a regression or a forecast, are averaged as they are. Only dropping
    goes on at prediction; normalisation uses its running statistics. A regression's log-likelihood is that of
    the mixture of all passes, each with a normal distribution around it.

    Formula: \hat z = \log\frac{1}{S}\sum_{s=1}^{S}\operatorname{softmax}(z_s), \quad \text{or for a regression } \hat y = \frac{1}{S}\sum_{s=1}^{S} y_s

    Use: With dropout in the arm, when probabilities matter more than a fast prediction: it costs S passes.

    Traps: It does nothing without dropout, and its accuracy is often that of one pass without. Calling
    ``train()`` on a network, as is often done, also lets batch normalisation follow the batch, which is
    another method. With few samples the probabilities are noisy.
    """  # noqa: E501  a formula is one line

    samples: Annotated[int, Field(ge=1, description="passes that are averaged")] = 30

    def combined(self, outputs: Tensor) -> Tensor:
        """Return the log of the mean probabilities (n, classes) of passes (samples, n, classes)."""
        return outputs.log_softmax(dim=-1).logsumexp(dim=0) - log(outputs.shape[0])

    def averaged(self, outputs: Tensor) -> Tensor:
        """Return the mean (n, k) of passes (samples, n, k)."""
        return outputs.mean(dim=0)


EXAMPLE = McDropout()

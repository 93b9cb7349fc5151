"""Stochastic weight averaging. Source: Izmailov et al. (2018), https://arxiv.org/abs/1803.05407"""

from __future__ import annotations

from math import ceil
from typing import Annotated, final

from pydantic import Field

from studylib.regularizers.base import Averaging


@final
class Swa(Averaging):
    r"""w̄ = mean of the weights at the ends of the last epochs: a flatter point than the last one.

    Epoch e, from 1, counts if e ≥ start·epochs; the last one always does, and alone it is no change. All of
    them count alike. The statistics of normalisation fit none of the networks that were averaged: they are
    renewed on train rows afterwards, as torch's ``update_bn`` does.

    Formula: \bar w = \frac{1}{n}\sum_{e=E-n+1}^{E} w_e, \quad E - n + 1 = \max(1, \lceil \text{start}\cdot E\rceil)

    Use: When the weights still bounce around at the end of a training, as with a constant learning rate; it
    costs a sum per epoch and nothing at prediction.

    Traps: With a small learning rate all weights averaged are nearly the same, and nothing is gained: the
    authors keep it high, or cyclic. Where weights still travel, the average lies behind them. The losses of
    each epoch are those of its own weights, not of the average.
    """  # noqa: E501  a formula is one line

    start: Annotated[
        float, Field(ge=0, lt=1, description="share of the epochs that goes by before the average begins")
    ] = 0.75

    def share(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Return 1/k at the end of the k-th epoch that counts, else 0."""
        epoch, rest = divmod(step, steps_per_epoch)
        first = max(ceil(self.start * epochs - 1e-9), 1)  # 0.07·100 is a little above 7
        return 0.0 if rest or epoch < first else 1 / (epoch - first + 1)


EXAMPLE = Swa()

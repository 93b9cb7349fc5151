"""Temperature scaling. Source: Guo et al. (2017), https://arxiv.org/abs/1706.04599"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import Calibration

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

HALVINGS = 60  # from an interval of at most 2·log(10⁶) to less than float64 can tell apart


@final
class TemperatureScaling(Calibration):
    r"""softmax(z/T) with the T > 0 of the least validation loss: honest confidence, the same decisions.

    The loss is convex in 1/T, so that its slope there changes sign once, and halving an interval finds the
    place: in float64, the same on every run, without a learning rate or a number of steps to choose. T lies
    between 1/``most`` and ``most``, and stays 1 where that is no worse, as with scores that are all alike.
    Rows that are all correct would have T → 0, and get a T at the lower bound.

    Scores come out as (z − max z)/T. The largest is exactly 0 and no other is, so that rounding changes no
    decision and makes no tie.

    Formula: \hat T = \operatorname{argmin}_{T} -\frac{1}{n}\sum_{i=1}^{n}\log\operatorname{softmax}(z_i/T)_{y_i}, \quad \text{most}^{-1} \le T \le \text{most}

    Use: Whenever probabilities are reported: it costs one number, and undoes most of the overconfidence of a
    network that was trained for long.

    Traps: It is fitted to validation rows, and what was chosen by the same rows makes T too small. It mends
    a confidence that is wrong by one factor everywhere, and nothing else. After label smoothing, mixup or a
    short training the right T is below 1: 0.26 for the MLP on digits after eight epochs.
    """  # noqa: E501  a formula is one line

    most: Annotated[float, Field(gt=1, le=1e6, description="largest T; the smallest is 1/most")] = 100.0

    def fitted(self, outputs: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the map (z − max z)/T of scores (n, classes)."""
        temperature = self.temperature(outputs, y)
        return lambda scores: _below_the_largest(scores) / temperature.to(scores.dtype)

    def temperature(self, outputs: Tensor, y: Tensor) -> Tensor:
        """Return T for scores (n, classes) and class numbers (n,), without axes, in float64."""
        import torch

        z = _below_the_largest(outputs.double())
        own = z.gather(-1, y[:, None])[:, 0]
        low = torch.zeros_like(own.sum()) - log(self.most)  # of log(1/T)
        high = -low
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            slope = ((z * (middle.exp() * z).softmax(dim=-1)).sum(dim=-1) - own).mean()
            low, high = torch.where(slope <= 0, middle, low), torch.where(slope <= 0, high, middle)
        scale = ((low + high) / 2).exp()
        one = torch.ones_like(scale)
        return torch.where(_loss(z, own, scale) < _loss(z, own, one), 1 / scale, one)


def _below_the_largest(scores: Tensor) -> Tensor:
    return scores - scores.amax(dim=-1, keepdim=True)


def _loss(z: Tensor, own: Tensor, scale: Tensor) -> Tensor:
    return ((scale * z).logsumexp(dim=-1) - scale * own).mean()


EXAMPLE = TemperatureScaling()

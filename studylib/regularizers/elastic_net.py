"""Elastic net penalty. Source: Zou and Hastie (2005), https://doi.org/10.1111/j.1467-9868.2005.00503.x"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Penalty, Strength

if TYPE_CHECKING:
    from torch import Tensor


@final
class ElasticNet(Penalty):
    """λ·(mix·Σ|w| + (1 − mix)·Σw²): exact zeros, and correlated inputs share their weight.

    This is the paper's naive net: the weights are not multiplied by one plus the ridge strength afterwards.
    There is no factor ½ before the squares.
    """

    smooth: ClassVar[bool] = False

    strength: Strength
    mix: Annotated[float, Field(ge=0, le=1, description="share of the L1 part; 1 is l1, 0 is l2")]

    def value(self, w: Tensor) -> Tensor:
        """Return λ·(mix·Σ|w| + (1 − mix)·Σw²)."""
        return self.strength * (self.mix * w.abs().sum() + (1 - self.mix) * w.square().sum())

    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return sign(w)·max(|w| − step·λ·mix, 0)/(1 + 2·step·λ·(1 − mix))."""
        lasso, ridge = self.strength * self.mix, self.strength * (1 - self.mix)
        return w.sign() * (w.abs() - step * lasso).clamp(min=0) / (1 + 2 * step * ridge)


EXAMPLE = ElasticNet(strength=0.01, mix=0.5)

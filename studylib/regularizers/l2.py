"""Ridge penalty. Source: Hoerl and Kennard (1970), https://doi.org/10.1080/00401706.1970.10488634"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Penalty, Strength

if TYPE_CHECKING:
    from torch import Tensor


@final
class L2(Penalty):
    r"""λ·Σw²: shrinks every weight, sets none to zero.

    There is no factor ½: the gradient is 2λw. Under Adam this gradient is rescaled like any other, which
    makes it another method than ``weight_decay``.

    Formula: \lambda \sum_i w_i^2

    Use: The default for linear models, and wherever many inputs each matter a little or are correlated.

    Traps: Packages count in their own ways: torch's weight_decay is 2λ, scikit-learn's Ridge takes n·λ. On
    weights before a normalisation it leaves the function alone, and changes the effective learning rate only.
    """

    smooth: ClassVar[bool] = True
    elementwise: ClassVar[bool] = True

    strength: Strength

    def value(self, w: Tensor) -> Tensor:
        """Return λ·Σw²."""
        return (self.strength * w.square()).sum()

    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return w/(1 + 2·step·λ)."""
        return w / (1 + 2 * step * self.strength)


EXAMPLE = L2(strength=0.001)

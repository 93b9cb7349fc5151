"""Lasso penalty. Source: Tibshirani (1996), https://doi.org/10.1111/j.2517-6161.1996.tb02080.x

The proximal step is soft thresholding, Parikh and Boyd (2014), https://doi.org/10.1561/2400000003
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Penalty, Strength, soft_threshold

if TYPE_CHECKING:
    from torch import Tensor


@final
class L1(Penalty):
    r"""λ·Σ|w|: sets small weights to exactly zero.

    The zeros come from ``prox``. A subgradient step never lands on zero, and a step of Adam needs its own
    preconditioner as ``step``: the bare learning rate there converges to another point.

    Formula: \lambda \sum_i |w_i|

    Use: Few of many inputs should matter, and the model is to say which.

    Traps: Of correlated inputs it keeps one, and another one in the next sample. It shrinks large weights as
    much as small ones. With the lasso of diabetes as the goal, which has six zeros, torch's Adam on the
    subgradient ends with none, and Adam with the bare learning rate in the prox ends up to .49 away.
    """

    smooth: ClassVar[bool] = False
    elementwise: ClassVar[bool] = True

    strength: Strength

    def value(self, w: Tensor) -> Tensor:
        """Return λ·Σ|w|."""
        return (self.strength * w.abs()).sum()

    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return sign(w)·max(|w| − step·λ, 0)."""
        return soft_threshold(w, step * self.strength)


EXAMPLE = L1(strength=0.01)

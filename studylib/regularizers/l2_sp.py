"""L2 to a starting point. Source: Li, Grandvalet and Davoine (2018), https://arxiv.org/abs/1802.01483"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import AnchoredPenalty, Strength

if TYPE_CHECKING:
    from torch import Tensor


@final
class L2SP(AnchoredPenalty):
    r"""λ·Σ(w − w⁰)²: shrinks weights towards those that training began with, not towards zero.

    There is no factor ½: the paper's α/2 is λ here, its α is 2λ. Weights that the start says nothing about, a
    new head, have nothing to be drawn to: the paper gives them a penalty of their own, β/2·Σw², which is
    ``l2`` with a ``layers`` of its own, and ``layers`` here leaves them out.

    Formula: \lambda \sum_i \left(w_i - w_i^0\right)^2

    Use: Training goes on from weights that were learnt elsewhere, on too few rows to be trusted far from
    them.

    Traps: From random initial weights it draws towards noise; that is no transfer. Running statistics of a
    normalisation are no weights, and move all the same.
    """

    elementwise: ClassVar[bool] = True

    strength: Strength

    def value(self, w: Tensor, anchor: Tensor) -> Tensor:
        """Return λ·Σ(w − anchor)²."""
        return (self.strength * (w - anchor).square()).sum()

    def renews(self, epoch: int) -> bool:
        """Tell whether ``epoch`` is the first: the anchor is the start of training, and stays."""
        return epoch == 0


EXAMPLE = L2SP(strength=0.01)

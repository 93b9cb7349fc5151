"""Unit-norm constraint. Source: Huang et al. (2017), https://arxiv.org/abs/1710.02338

Their projection based weight normalization.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Constraint

if TYPE_CHECKING:
    from torch import Tensor


@final
class UnitNorm(Constraint):
    r"""‖wⱼ‖₂ = 1 for the incoming weights wⱼ of every output unit, held after each step.

    A weight is (outputs, inputs), so that wⱼ is a row; of a convolution it is a whole filter. For a unit
    without any weight, all directions are equally near: it stays zero, outside of the set, until a gradient
    gives it a direction. What is not finite becomes NaN.

    Formula: w_j \leftarrow w_j / \lVert w_j \rVert_2

    Use: Only directions are to be learnt, because a normalisation behind the layer takes the scale out
    anyway.

    Traps: The last layer cannot make its scores larger, so that the loss of a classification stays high and
    probabilities stay near one another: leave it out by ``layers``. ``l2`` does next to nothing here; ``l1``
    still turns a unit towards few inputs, and sets it to zero where it is strong.
    """

    turn: ClassVar[int] = 1

    def project(self, w: Tensor) -> Tensor:
        """Return ``w`` with every unit's weights scaled to norm 1, and zeros where they were."""
        rows = w.reshape(len(w), -1)
        peak = rows.abs().amax(dim=1, keepdim=True)
        rows = rows / (peak + (peak == 0))  # so that no square overflows or vanishes
        norms = rows.square().sum(dim=1, keepdim=True).sqrt()
        return (rows / (norms + (norms == 0))).reshape(w.shape)


EXAMPLE = UnitNorm(layers="hidden*")

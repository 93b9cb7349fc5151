"""Max-norm constraint. Source: Hinton et al. (2012), https://arxiv.org/abs/1207.0580"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Constraint

if TYPE_CHECKING:
    from torch import Tensor


@final
class MaxNorm(Constraint):
    r"""‖wⱼ‖₂ ≤ limit for the incoming weights wⱼ of every output unit, held after each step.

    A weight here is (outputs, inputs), so that wⱼ is a row; of a convolution it is a whole filter. Libraries
    that store (inputs, outputs) count by columns. The papers that use it take limits from 2 to 4.

    Formula: w_j \leftarrow w_j \min\left(1, \frac{c}{\lVert w_j \rVert_2}\right)

    Use: Beside dropout and with large learning rates, where weights would run away; the dropout papers tune
    the two together.

    Traps: With usual initial weights and few steps, norms may never come near the limit, and it does nothing.
    The wrong axis is a common error: it then limits what leaves an input. torch's Embedding(max_norm=…) is
    not this: it changes weights during the forward pass, in evaluation too.
    """

    turn: ClassVar[int] = 1

    limit: Annotated[float, Field(gt=0, description="largest L2 norm of a unit's incoming weights")]

    def project(self, w: Tensor) -> Tensor:
        """Return ``w`` with every unit's weights scaled down to norm ``limit`` where they exceed it."""
        rows = w.reshape(len(w), -1)
        peak = rows.abs().amax(dim=1, keepdim=True)
        peak = peak + (peak == 0)  # so that no square overflows or vanishes
        norms = (rows / peak).square().sum(dim=1, keepdim=True).sqrt()
        # a zero norm gives an infinite ratio, which the clamp turns into "leave it"
        scale = (self.limit / peak / norms).clamp(max=1)
        return w * scale.reshape(-1, *[1] * (w.ndim - 1))


EXAMPLE = MaxNorm(limit=3.0)

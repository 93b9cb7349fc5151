"""Max-norm constraint. Source: Hinton et al. (2012), https://arxiv.org/abs/1207.0580"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import Constraint

if TYPE_CHECKING:
    from torch import Tensor


@final
class MaxNorm(Constraint):
    """‖wⱼ‖₂ ≤ limit for the incoming weights wⱼ of every output unit, held after each step.

    A weight here is (outputs, inputs), so that wⱼ is a row; of a convolution it is a whole filter. Libraries
    that store (inputs, outputs) count by columns. The papers that use it take limits from 2 to 4.
    """

    limit: Annotated[float, Field(gt=0, description="largest L2 norm of a unit's incoming weights")]

    def project(self, w: Tensor) -> Tensor:
        """Return ``w`` with every unit's weights scaled down to norm ``limit`` where they exceed it."""
        norms = w.reshape(len(w), -1).square().sum(dim=1).sqrt()
        # a zero norm gives an infinite ratio, which the clamp turns into "leave it"
        scale = (self.limit / norms).clamp(max=1)
        return w * scale.reshape(-1, *[1] * (w.ndim - 1))


EXAMPLE = MaxNorm(limit=3.0)

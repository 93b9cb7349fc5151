"""Clipping by value. Source: Mikolov (2012), as told by Pascanu et al. (2013), https://arxiv.org/abs/1211.5063"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import GradientRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from studylib.seeds import Draws


@final
class ClipValue(GradientRule):
    r"""g ← min(max(g, −limit), limit), number by number: no weight is pulled harder than that.

    An infinite gradient becomes the limit, as in torch; NaN stays NaN.

    Formula: g_i \leftarrow \min(\max(g_i, -c),\, c)

    Use: Single weights get extreme gradients, as words that are rare do; for the whole network clip_norm is
    the safer choice.

    Traps: It turns the direction of a step, towards the diagonal: no longer the steepest descent, and
    with a small limit it is the sign of the gradient.
    """

    limit: Annotated[float, Field(gt=0, description="largest absolute value of a gradient")]

    def apply(self, gradients: Sequence[Tensor], noise: Draws, step: Tensor | int) -> list[Tensor]:
        """Return the gradients, each number held between −``limit`` and ``limit``."""
        return [g.clamp(-self.limit, self.limit) for g in gradients]


EXAMPLE = ClipValue(limit=0.5)

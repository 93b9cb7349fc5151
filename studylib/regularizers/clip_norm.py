"""Clipping by norm. Source: Pascanu, Mikolov and Bengio (2013), https://arxiv.org/abs/1211.5063"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import GradientRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from studylib.seeds import Draws


@final
class ClipNorm(GradientRule):
    r"""g ← g·min(1, limit/‖g‖₂) with the norm over all gradients together: shorter, not turned.

    torch divides by ‖g‖ + 10⁻⁶ instead, which differs by a millionth at a norm of 1. The norm is found
    without overflow. If any gradient is not finite, all of them become NaN, and training ends as diverged: a
    norm of infinity would otherwise turn the others into zeros, and hide it.

    Formula: g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g \rVert_2}\right)

    Use: Recurrent networks and large learning rates, where a single step may undo an epoch.

    Traps: A limit below the usual norm makes every step equally long, which is another optimizer. Adam
    divides lasting scales out again, so clipping acts on outliers only. The paper finds limits by looking at
    the norms of a training: half to ten times their average.
    """

    limit: Annotated[float, Field(gt=0, description="largest L2 norm of all gradients together")]

    def apply(self, gradients: Sequence[Tensor], noise: Draws, step: Tensor | int) -> list[Tensor]:
        """Return the gradients, shortened together where their norm exceeds ``limit``."""
        import torch

        peak = torch.stack([g.abs().amax() for g in gradients]).amax()
        peak = peak + (peak == 0)
        norm = torch.stack([(g / peak).square().sum() for g in gradients]).sum().sqrt()
        # a zero norm gives an infinite ratio, which the clamp turns into "leave it"
        scale = (self.limit / peak / norm).clamp(max=1)
        return [g * scale for g in gradients]


EXAMPLE = ClipNorm(limit=1.0)

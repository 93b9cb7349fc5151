"""Gradient noise. Source: Neelakantan et al. (2015), https://arxiv.org/abs/1511.06807"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import GradientRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from studylib.seeds import Draws


@final
class GradientNoise(GradientRule):
    r"""g ← g + N(0, σₜ²) with σₜ² = std²/(1 + t)^decay: every step errs, and later ones less.

    t counts steps from 0. The paper's η is std²: its .01, .3 and 1 are a std of .1, .55 and 1.

    Formula: g \leftarrow g + \mathcal{N}\left(0, \frac{\eta}{(1 + t)^\gamma}\right), \quad \eta = \sigma_0^2

    Use: Deep networks that are hard to get going from a poor start, where the paper reports gains.

    Traps: The noise is as large for a weight with tiny gradients as for any other, and Adam, which divides by
    their size, makes much of it. It counts steps, so smaller batches quiet it in fewer epochs.
    """

    draws: ClassVar[bool] = True

    std: Annotated[float, Field(ge=0, description="standard deviation of the noise in the first step, √η")]
    decay: Annotated[
        float, Field(ge=0, description="γ: how fast the variance falls with the steps; 0 keeps it")
    ] = 0.55

    def apply(self, gradients: Sequence[Tensor], noise: Draws, step: Tensor | int) -> list[Tensor]:
        """Return the gradients with independent noise on each number."""
        return [g + self._scale(g, step) * noise.normal(*g.shape, like=g) for g in gradients]

    def _scale(self, g: Tensor, step: Tensor | int) -> Tensor:
        """Return σ of ``step`` in the precision of ``g``."""
        return self.std * (g.new_ones(()) + step) ** (-self.decay / 2)


EXAMPLE = GradientNoise(std=0.1)

"""Smoothly clipped absolute deviation. Source: Fan and Li (2001), https://doi.org/10.1198/016214501753382273"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import ConcavePenalty

if TYPE_CHECKING:
    from torch import Tensor


@final
class SCAD(ConcavePenalty):
    r"""Σ ∫₀^|w| min(λ, max(a·λ − t, 0)/(a − 1)) dt: ``l1`` up to λ, nothing to pay for more beyond a·λ.

    The slope is λ up to λ, and falls to 0 at a·λ; what is larger pays (a + 1)·λ²/2 and no more.

    Its two knees are counted in λ itself, so a change of scale is no change of λ: with a factor ½ before the
    loss, as packages have it, no λ and a here give exactly the same objective.

    Formula: \sum_i \int_0^{|w_i|} \min\left(\lambda,\, \frac{\max(a\lambda - t,\, 0)}{a - 1}\right)
    \mathrm{d}t

    Use: As mcp: few inputs matter, and large weights are to be estimated without the bias of the lasso.

    Traps: Beside one standardised column the objective is convex, beside correlated ones it is not, and where
    training ends depends on where it begins. The paper's thresholding holds for a step of 1; for steps from
    a − 1 on its middle branch is a maximum, and has to be passed over. In training only its ℓ₁ part is
    thresholded, as for mcp.
    """

    a: Annotated[float, Field(gt=2, description="weights beyond a·λ are not shrunk")] = 3.7

    def value(self, w: Tensor) -> Tensor:
        """Return the sum over weights of λ·s − max(s − λ, 0)²/(2·(a − 1)) with s = min(|w|, a·λ)."""
        size = w.abs().clamp(max=self.a * self.strength)
        bend = (size - self.strength).clamp(min=0).square() / (2 * (self.a - 1))
        return (self.strength * size - bend).sum()

    def relief(self, w: Tensor) -> Tensor:
        """Return the sum of max(s − λ, 0)²/(2·(a − 1)) + λ·(|w| − s)."""
        size = w.abs()
        bent = size.clamp(max=self.a * self.strength)
        bend = (bent - self.strength).clamp(min=0).square() / (2 * (self.a - 1))
        return (bend + self.strength * (size - bent)).sum()

    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return the minimiser, which for steps of at least a − 1 is soft-thresholded or ``w`` itself."""
        import torch

        size, step, a = w.abs(), step * torch.ones_like(w), self.a
        soft = (size - step * self.strength).clamp(min=0)
        room = a - 1 - step
        convex = room > 0
        middle = size - step * (a * self.strength - size) / torch.where(convex, room, 1)
        near = torch.where(convex & (size > self.strength * (1 + step)), middle, soft)
        # where the minimum near zero and the one at w cost the same; two roots for half precision
        tie = torch.where(step < a + 1, (a + 1 + step) / 2, step.sqrt() * (a + 1) ** 0.5)
        edge = self.strength * torch.where(convex, a, tie)
        return torch.where(size <= edge, w.sign() * near, w)


EXAMPLE = SCAD(strength=0.1)

"""Minimax concave penalty. Source: Zhang (2010), https://doi.org/10.1214/09-AOS729

The proximal step below γ is firm thresholding: Gao and Bruce (1997).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import ConcavePenalty

if TYPE_CHECKING:
    from torch import Tensor


@final
class MCP(ConcavePenalty):
    r"""Σ ∫₀^|w| max(λ − t/γ, 0) dt: zeros like ``l1``, and large weights that are not shrunk at all.

    The slope falls from λ at zero to 0 at γ·λ; what is larger pays γ·λ²/2 and no more. γ → ∞ is ``l1``, γ → 0
    counts the weights that are not zero.

    The loss has no factor ½ here. With one, as in ncvreg and skglm, the same solution has λ/2 and 2·γ: their
    usual γ = 3 is 1.5 here. ``trainers.conversions`` has both ways.

    Formula: \sum_i \int_0^{|w_i|} \max\left(\lambda - \frac{t}{\gamma},\, 0\right) \mathrm{d}t

    Use: Few inputs matter, and how much they matter is to be estimated without the bias of the lasso.

    Traps: It is not convex: beside correlated columns, or with γ below ½ even beside one standardised column,
    where training ends depends on where it begins. The textbook's prox holds for steps below γ only; from γ
    it is hard thresholding at λ·√(step·γ). Behind momentum or Adam the prox of the whole need not settle: in
    a linear model with momentum .9 weights went on jumping by .4. So in training only its ℓ₁ part thresholds.
    """

    gamma: Annotated[
        float,
        Field(gt=0, description="γ: weights beyond γ·λ are not shrunk; half of what packages call gamma"),
    ]

    def value(self, w: Tensor) -> Tensor:
        """Return the sum over weights of λ·s − s²/(2γ) with s = min(|w|, γ·λ)."""
        size = w.abs().clamp(max=self.gamma * self.strength)
        return (self.strength * size - size.square() / (2 * self.gamma)).sum()

    def relief(self, w: Tensor) -> Tensor:
        """Return the sum of s²/(2γ) + λ·(|w| − s)."""
        size = w.abs()
        bent = size.clamp(max=self.gamma * self.strength)
        return (bent.square() / (2 * self.gamma) + self.strength * (size - bent)).sum()

    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return 0 or ``w``, and for steps below γ (|w| − step·λ)/(1 − step/γ) in between."""
        import torch

        size, step = w.abs(), step * torch.ones_like(w)
        convex = step < self.gamma
        firm = (size - step * self.strength).clamp(min=0) / torch.where(convex, 1 - step / self.gamma, 1)
        # two roots, because step·γ may be too large for half precision
        edge = self.strength * torch.where(convex, self.gamma, step.sqrt() * self.gamma**0.5)
        return torch.where(size <= edge, torch.where(convex, w.sign() * firm, 0), w)


EXAMPLE = MCP(strength=0.1, gamma=1.5)

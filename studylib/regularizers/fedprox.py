"""Proximal term of federated learning. Source: Li et al. (2020), https://arxiv.org/abs/1812.06127"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import AnchoredPenalty, Strength

if TYPE_CHECKING:
    from torch import Tensor


@final
class FedProx(AnchoredPenalty):
    r"""λ·Σ(w − wₜ)²: holds the weights of a round near those that the round began with, wₜ.

    Its strength is counted as everywhere here, without a factor ½: the paper's μ/2 is λ, its μ is 2λ, and
    ``trainers.conversions`` has both ways. A round lasts ``epochs`` epochs; then the weights reached become
    the new wₜ.

    This is the term alone, on all rows at once: one client that takes part in every round. Nothing is
    averaged over clients. What is left of the method there is the proximal point iteration.

    Formula: \lambda \sum_i \left(w_i - w_{t,i}\right)^2, \quad \lambda = \mu / 2

    Use: To see what the term alone does: it slows training down within a round, and early stopping or a small
    learning rate are its rivals.

    Traps: It pulls towards no solution in particular: with rounds enough the minimum of the loss is reached
    whatever μ is. The paper takes μ from .001 to 1, and finds no value that suits all data. Federated
    frameworks only hand μ to the clients, whose loss has to have the term.
    """

    elementwise: ClassVar[bool] = True

    strength: Strength
    epochs: Annotated[
        int, Field(ge=1, description="epochs of a round, after which the anchor is renewed")
    ] = 1

    def value(self, w: Tensor, anchor: Tensor) -> Tensor:
        """Return λ·Σ(w − anchor)²."""
        return (self.strength * (w - anchor).square()).sum()

    def renews(self, epoch: int) -> bool:
        """Tell whether a round begins with ``epoch``: 0, ``epochs``, 2·``epochs``, …"""
        return epoch % self.epochs == 0


EXAMPLE = FedProx(strength=0.05, epochs=2)

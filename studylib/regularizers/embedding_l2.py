"""L2 per interaction. Source: Koren, Bell and Volinsky (2009), https://doi.org/10.1109/MC.2009.263

Weighted by counts: Zhou et al. (2008), https://doi.org/10.1007/978-3-540-68880-8_32
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from studylib.regularizers.base import InteractionPenalty, Strength

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor


@final
class EmbeddingL2(InteractionPenalty):
    """λ·mean over interactions (u, i) of ‖p_u‖² + ‖q_i‖² + Σⱼ‖q_j‖²: vectors pay as often as they are used.

    j are the negatives that the trainer drew beside (u, i). Over all N interactions a row with n_u of them
    pays λ·(n_u/N)·‖p_u‖², which is weighted-λ regularization (ALS-WR); an item pays for its interactions and,
    alike for rare and popular items, for being drawn. It is not the full penalty λ·‖P‖² of ``l2``, which
    costs every row the same: a strength tuned for one of them does not carry over to the other.
    """

    strength: Strength

    def value(self, tables: Sequence[Tensor], used: Sequence[Tensor]) -> Tensor:
        """Return λ·mean over the interactions of the sum of squares of the rows that they used."""
        costs = (table[rows].square().sum(dim=(1, 2)) for table, rows in zip(tables, used, strict=True))
        return self.strength * sum(costs, start=tables[0].new_zeros(())).mean()


EXAMPLE = EmbeddingL2(strength=0.01)

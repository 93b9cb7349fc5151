"""L2 of embeddings. Source: Koren, Bell and Volinsky (2009), https://doi.org/10.1109/MC.2009.263

Weighted by counts: Zhou et al. (2008), https://doi.org/10.1007/978-3-540-68880-8_32. Divided by the batch:
He et al. (2020), https://arxiv.org/abs/2002.02126
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import InteractionPenalty, Strength

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from studylib.regularizers.base import Rows


@final
class EmbeddingL2(InteractionPenalty):
    r"""λ·Σ‖p‖² over the vectors that a batch used, as often as used, once each, or over all vectors.

    Three objectives go by the name of L2 in recommenders, and a strength tuned for one of them does not carry
    over to another:

    - ``interaction``: λ·mean over the interactions (u, i) of ‖p_u‖² + ‖q_i‖² + Σⱼ‖q_j‖², where j are the
      negatives drawn beside (u, i). Over all N interactions a row with n_u of them pays λ·(n_u/N)·‖p_u‖²:
      weighted-λ regularization (ALS-WR), and what plain SGD over ratings does (Surprise).
    - ``batch``: λ/B·Σ‖p‖² over the rows that a batch of B interactions used, each once. A row pays λ/B in
      every batch in which it is, however often it is in there: frequent rows pay less than by interaction.
    - ``full``: λ·Σ‖p‖² over all rows in every step, ``l2`` on the tables (implicit).

    Formula: \frac{\lambda}{B} \sum_{(u,i)} \Big( \lVert p_u \rVert^2 + \lVert q_i \rVert^2
    + \sum_j \lVert q_j \rVert^2 \Big)

    In a rating there are no negatives, and the biases of rows and items pay as the vectors do, or λ of their
    own; in a ranking an item's bias is free. An exact solution takes all interactions as one batch.

    Use: Factorizations overfit rows with few interactions; this and the number of factors hold them.

    Traps: Code of the papers counts in yet other ways: LightGCN's takes half of interaction, RecBole's by
    default norms that are not squared. Under full a row pays about as many times more as there are rows.
    """

    elementwise: ClassVar[bool] = True

    strength: Strength
    definition: Annotated[
        Literal["interaction", "batch", "full"],
        Field(
            description="what pays: rows as often as a batch uses them, once if it does, or all in every step"
        ),
    ] = "interaction"
    biases: Annotated[
        float | None, Field(ge=0, description="λ of the biases of a rating; as strength where none is said")
    ] = None

    def value(self, tables: Sequence[Tensor], used: Sequence[Rows]) -> Tensor:
        """Return λ times the sum over the tables of what each of them pays."""
        return self.strength * self._all_paid(tables, used)

    def bias_value(self, tables: Sequence[Tensor], used: Sequence[Rows]) -> Tensor:
        """Return λ of the biases times the same of them."""
        return self._of_biases * self._all_paid(tables, used)

    def prices(self, counts: Tensor, interactions: float) -> tuple[Tensor, Tensor]:
        """Return λ·n by interaction, λ of those in a batch, λ·N in full; of vectors and of biases."""
        every = counts.new_full(counts.shape, interactions)
        weight = {"interaction": counts, "batch": counts.clamp(max=1), "full": every}[self.definition]
        return self.strength * weight, self._of_biases * weight

    @property
    def _of_biases(self) -> float:
        return self.strength if self.biases is None else self.biases

    def _all_paid(self, tables: Sequence[Tensor], used: Sequence[Rows]) -> Tensor:
        paid = (self._paid(table, rows) for table, rows in zip(tables, used, strict=True))
        return sum(paid, start=tables[0].new_zeros(()))

    def _paid(self, table: Tensor, rows: Rows) -> Tensor:
        if self.definition == "interaction":
            return rows.vectors.square().sum() / len(rows.numbers)
        if self.definition == "full":
            return table.square().sum()
        once = table.new_zeros(len(table)).scatter(0, rows.numbers.flatten(), 1.0)
        return (once * table.square().sum(dim=1)).sum() / len(rows.numbers)


EXAMPLE = EmbeddingL2(strength=0.01)

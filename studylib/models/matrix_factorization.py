"""Matrix factorization, for rankings from implicit feedback and for ratings.

Source: Koren, Bell and Volinsky (2009), https://doi.org/10.1109/MC.2009.263
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


@final
class MatrixFactorization(Model):
    """score(u, i) = p_u · q_i + b_i: a row and an item fit when their factors point the same way.

    A rating is predicted as μ + b_u + b_i + p_u · q_i, with the mean μ of the train ratings; in a ranking μ
    and b_u would be the same for all items of a row. The biases are no layers: of all penalties
    ``embedding_l2`` alone covers them, and in ratings only. Without factors there are biases alone: a ranking
    by popularity, or the usual baseline of ratings.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"interactions"})
    stacked: ClassVar[frozenset[str]] = frozenset({"cpu"})

    factors: Annotated[
        int, Field(ge=0, description="length of the factors of a row and of an item; 0 has biases")
    ] = 32
    scale: Annotated[float, Field(gt=0, description="standard deviation of the initial factors")] = 0.1

    def layers(self) -> Mapping[str, LayerKind]:
        return {"rows": "embedding", "items": "embedding"}

    def slots(self) -> tuple[tuple[str, str], ...]:
        return (("rows", "factors"), ("items", "factors"))

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from studylib.models._networks import FactorizationNetwork

        rows, items = inputs
        return FactorizationNetwork(rows, items, self.factors, self.scale)


EXAMPLE = MatrixFactorization()

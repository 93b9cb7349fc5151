"""Matrix factorization for implicit feedback.

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
    """score(u, i) = p_u · q_i + b_i: a row and an item fit when their factors point the same way."""

    inputs: ClassVar[frozenset[str]] = frozenset({"interactions"})

    factors: Annotated[int, Field(ge=1, description="length of the factors of a row and of an item")] = 32
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

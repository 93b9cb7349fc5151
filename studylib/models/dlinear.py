"""DLinear: one linear map of the trend, one of what is left.

Source: Zeng, Chen, Zhang and Xu (2023), https://doi.org/10.1609/aaai.v37i9.26317
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Self, final

from pydantic import Field, model_validator

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


@final
class DLinear(Model):
    """ŷ = U·m + V·(x − m) + b: m is the moving average of the past x, of ``width`` steps.

    At both ends the first and the last value stand in for those that are missing, as in the authors' code.
    Without a penalty it can say nothing that ``linear`` cannot; with one, trend and remainder are shrunk
    apart.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"series"})

    width: Annotated[int, Field(ge=1, description="steps that are averaged, an odd number")] = 25

    @model_validator(mode="after")
    def _has_a_middle(self) -> Self:
        if self.width % 2 == 0:
            raise ValueError(f"an odd width, so that an average has a middle (here {self.width})")
        return self

    def layers(self) -> Mapping[str, LayerKind]:
        return {"trend": "linear", "remainder": "linear"}

    def slots(self) -> tuple[tuple[str, str], ...]:
        return ()

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from studylib.models._series import DLinearNetwork

        return DLinearNetwork(inputs, outputs, self.width)


EXAMPLE = DLinear()

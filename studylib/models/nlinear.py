"""NLinear: a linear map of how far the past lies from its last value.

Source: Zeng, Chen, Zhang and Xu (2023), https://doi.org/10.1609/aaai.v37i9.26317
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


@final
class NLinear(Model):
    """ŷ = x_T + W·(x − x_T) + b: least squares for a series whose level moves.

    x is (length, channels), x_T its last step: it is taken away before the linear map, and that of the first
    channel, which the target continues, is added to every step of the forecast. A series that is shifted by
    a constant gets a forecast that is shifted by it too.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"series"})

    def layers(self) -> Mapping[str, LayerKind]:
        return {"output": "linear"}

    def slots(self) -> tuple[tuple[str, str], ...]:
        return ()

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from studylib.models._series import NLinearNetwork

        return NLinearNetwork(inputs, outputs)


EXAMPLE = NLinear()

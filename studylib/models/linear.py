"""Linear model: one layer from the inputs to the outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


@final
class Linear(Model):
    """ŷ = W·x + b: least squares for a number or a forecast, softmax regression for classes.

    Of a series x is the whole past, all channels, and ŷ every step ahead at once.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images", "tables", "series"})
    stacked: ClassVar[frozenset[str]] = frozenset({"cpu", "cuda"})

    def layers(self) -> Mapping[str, LayerKind]:
        return {"output": "linear"}

    def slots(self) -> tuple[tuple[str, str], ...]:
        return ()

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from collections import OrderedDict
        from math import prod

        from torch import nn

        return nn.Sequential(
            OrderedDict(flatten=nn.Flatten(), output=nn.Linear(prod(inputs), outputs)),
        )


EXAMPLE = Linear()

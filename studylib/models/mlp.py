"""Multilayer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

Widths = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...],
    Field(strict=False, min_length=1, description="units of each hidden layer"),
]


@final
class MLP(Model):
    """hᵢ = relu(Wᵢ·hᵢ₋₁ + bᵢ), ŷ = W·h + b: fully connected layers with rectified units."""

    inputs: ClassVar[frozenset[str]] = frozenset({"images", "tables"})
    stacked: ClassVar[frozenset[str]] = frozenset({"cpu", "cuda"})

    hidden: Widths = (128, 128)

    def layers(self) -> Mapping[str, LayerKind]:
        return dict.fromkeys((*self._hidden_layers(), "output"), "linear")

    def slots(self) -> tuple[tuple[str, str], ...]:
        places = ("normalisation", "units")
        return tuple((layer, place) for layer in self._hidden_layers() for place in places)

    def _hidden_layers(self) -> tuple[str, ...]:
        return tuple(f"hidden{i}" for i in range(1, len(self.hidden) + 1))

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from collections import OrderedDict
        from math import prod

        from torch import nn

        from studylib.models._slot import Slot

        net: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        width = prod(inputs)
        for layer, units in zip(self._hidden_layers(), self.hidden, strict=True):
            net[layer] = nn.Linear(width, units)
            net[f"{layer}_normalisation"] = Slot(layer, "normalisation", units)
            net[f"{layer}_relu"] = nn.ReLU()
            net[f"{layer}_units"] = Slot(layer, "units", units)
            width = units
        net["output"] = nn.Linear(width, outputs)
        return nn.Sequential(net)


EXAMPLE = MLP()

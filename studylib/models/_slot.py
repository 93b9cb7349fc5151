"""Open places in a network that a rewiring may fill."""

from __future__ import annotations

from typing import final

from torch import nn


@final
class Slot(nn.Sequential):
    """The identity until modules are appended; knows the layer that it follows, its place and its width."""

    def __init__(self, layer: str, place: str, width: int) -> None:
        super().__init__()
        self.layer = layer
        self.place = place
        self.width = width

"""Open places in a network that a rewiring may fill."""

from __future__ import annotations

from typing import final

from torch import nn


@final
class Slot(nn.Sequential):
    """The identity until modules are appended; knows the layer that it follows, place, width and depth."""

    def __init__(self, layer: str, place: str, width: int, depth: float = 1.0) -> None:
        super().__init__()
        self.layer = layer
        self.place = place
        self.width = width
        self.depth = depth

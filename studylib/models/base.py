"""What a model is: settings, the names of its layers and open slots, and how to build it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from studylib.components import Component

if TYPE_CHECKING:
    from torch import nn


class Model(Component):
    """A network's settings; ``build`` makes it.

    Layers that carry weights and slots that a rewiring may fill have names, known without building, so that
    what does not fit is refused before any training.
    """

    kind: ClassVar[str] = "model"
    inputs: ClassVar[frozenset[str]]  # of {"images", "tables", "text", "interactions"}

    @abstractmethod
    def layers(self) -> tuple[str, ...]:
        """Return the names of the layers that carry weights, from input to output."""

    @abstractmethod
    def slots(self) -> tuple[tuple[str, str], ...]:
        """Return (layer, place) of each open slot, from input to output.

        Places: ``normalisation`` (before the activation), ``units`` and ``maps`` (after it), ``embedding``
        (words as vectors), ``factors`` (gathered rows of a factorization).
        """

    @abstractmethod
    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        """Return the module for inputs of that shape; its layers are attributes of those names."""

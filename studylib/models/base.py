"""What a model is: settings, the names of its layers and open slots, and how to build it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar, Literal

from studylib.components import Component

if TYPE_CHECKING:
    from torch import nn

LayerKind = Literal["linear", "convolution", "embedding", "recurrent"]


class Model(Component):
    """A network's settings; ``build`` makes it.

    Layers that carry weights and slots that a rewiring may fill have names, known without building, so that
    what does not fit is refused before any training.
    """

    kind: ClassVar[str] = "model"
    inputs: ClassVar[frozenset[str]]  # of {"images", "tables", "text", "series", "interactions"}
    traced: ClassVar[bool] = False  # whether the module keeps hidden states of its last batch as ``trace``
    # on which devices several fits are trained as one network, and there up to which side of images
    stacked: ClassVar[frozenset[str]] = frozenset()
    small: ClassVar[Mapping[str, int]] = MappingProxyType({})

    @abstractmethod
    def layers(self) -> Mapping[str, LayerKind]:
        """Return the names of the layers that carry weights, with their kinds, from input to output.

        The module has each as an attribute of that name, with a ``weight``.
        """

    @abstractmethod
    def slots(self) -> tuple[tuple[str, str], ...]:
        """Return (layer, place) of each open slot, from input to output.

        Places: ``normalisation`` (before the activation), ``units`` and ``maps`` (after it), ``embedding``
        (words as vectors), ``factors`` (gathered rows of a factorization), ``sequence`` (hidden states over
        time), ``state`` (what carries over from step to step), ``attention`` (weights after the softmax),
        ``branch`` (what a residual connection adds).
        """

    @abstractmethod
    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        """Return the module for inputs of that shape; its layers are attributes of those names."""

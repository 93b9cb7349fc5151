"""Convolutional network for sentences, with word vectors learned from scratch (CNN-rand).

Source: Kim (2014), https://doi.org/10.3115/v1/D14-1181
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

FilterWidths = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...],
    Field(strict=False, min_length=1, description="words that the filters of each kind see"),
]


@final
class TextCNN(Model):
    """Filters over 3, 4 and 5 words, each reduced to its maximum over the sentence, then a linear output."""

    inputs: ClassVar[frozenset[str]] = frozenset({"text"})

    dimension: Annotated[int, Field(ge=1, description="length of a word vector")] = 32
    widths: FilterWidths = (3, 4, 5)
    filters: Annotated[int, Field(ge=1, description="filters of each width")] = 32

    def layers(self) -> Mapping[str, LayerKind]:
        convolutions = (f"conv{width}" for width in self.widths)
        return {"embedding": "embedding", **dict.fromkeys(convolutions, "convolution"), "output": "linear"}

    def slots(self) -> tuple[tuple[str, str], ...]:
        return (("embedding", "embedding"), ("maxima", "units"))

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from studylib.models._networks import TextCNNNetwork

        return TextCNNNetwork(inputs[0], self.dimension, self.widths, self.filters, outputs)


EXAMPLE = TextCNN()

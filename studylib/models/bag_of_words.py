"""Bag of words with learned word vectors.

Source: Joulin, Grave, Bojanowski and Mikolov (2017), https://doi.org/10.18653/v1/E17-2068
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


@final
class BagOfWords(Model):
    """ŷ = W · mean(word vectors) + b: the order of the words does not matter."""

    inputs: ClassVar[frozenset[str]] = frozenset({"text"})
    stacked: ClassVar[frozenset[str]] = frozenset({"cpu", "cuda"})

    dimension: Annotated[int, Field(ge=1, description="length of a word vector")] = 32

    def layers(self) -> Mapping[str, LayerKind]:
        return {"embedding": "embedding", "output": "linear"}

    def slots(self) -> tuple[tuple[str, str], ...]:
        return (("embedding", "embedding"), ("mean", "units"))

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from studylib.models._networks import BagOfWordsNetwork

        return BagOfWordsNetwork(inputs[0], self.dimension, outputs)


EXAMPLE = BagOfWords()

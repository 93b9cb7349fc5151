"""Long short-term memory for text.

Source: Hochreiter and Schmidhuber (1997), https://doi.org/10.1162/neco.1997.9.8.1735

Forget gate: Gers, Schmidhuber and Cummins (2000), https://doi.org/10.1162/089976600300015015
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


@final
class LSTM(Model):
    """cₜ = f⊙cₜ₋₁ + i⊙g, hₜ = o⊙tanh(cₜ) over word vectors, the hₜ pooled, then a linear output.

    The gates are those of torch's ``LSTM``, in its order: i, f, g, o of W·xₜ + b + U·hₜ₋₁ + b′, where W is
    the layer ``input`` and U the layer ``recurrent``. Forget gates begin with a bias of 1. What comes after
    the last word does not count.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"text"})
    traced: ClassVar[bool] = True

    dimension: Annotated[int, Field(ge=1, description="length of a word vector")] = 32
    hidden: Annotated[int, Field(ge=1, description="length of the hidden state")] = 64
    pooling: Annotated[
        Literal["mean", "last"], Field(description="what of the states is read: their mean, or the last one")
    ] = "mean"

    def layers(self) -> Mapping[str, LayerKind]:
        return {
            "embedding": "embedding",
            "input": "recurrent",
            "recurrent": "recurrent",
            "output": "linear",
        }

    def slots(self) -> tuple[tuple[str, str], ...]:
        return (
            ("embedding", "embedding"),
            ("recurrent", "state"),
            ("states", "sequence"),
            ("pooled", "units"),
        )

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from studylib.models._recurrence import TextRecurrence

        return TextRecurrence(inputs[0], self.dimension, self.hidden, outputs, self.pooling)


EXAMPLE = LSTM()

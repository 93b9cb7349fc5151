"""Long short-term memory for series of values.

Source: Hochreiter and Schmidhuber (1997), https://doi.org/10.1162/neco.1997.9.8.1735
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


@final
class SeriesLSTM(Model):
    """cₜ = f⊙cₜ₋₁ + i⊙g, hₜ = o⊙tanh(cₜ) over the values of a series, then a linear output.

    It is ``lstm`` without word vectors. A series is (n, length, channels) of numbers, its split's ``inputs``
    are (length, channels), and every step counts: there is no padding.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"series"})
    traced: ClassVar[bool] = True

    hidden: Annotated[int, Field(ge=1, description="length of the hidden state")] = 64
    pooling: Annotated[
        Literal["mean", "last"], Field(description="what of the states is read: their mean, or the last one")
    ] = "last"
    level: Annotated[
        Literal["given", "last"], Field(description="what is forecast: values, or their distance to the last")
    ] = "given"

    def layers(self) -> Mapping[str, LayerKind]:
        return {"input": "recurrent", "recurrent": "recurrent", "output": "linear"}

    def slots(self) -> tuple[tuple[str, str], ...]:
        return (("recurrent", "state"), ("states", "sequence"), ("pooled", "units"))

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from studylib.models._recurrence import LevelledRecurrence, SeriesRecurrence

        network = {"given": SeriesRecurrence, "last": LevelledRecurrence}[self.level]
        return network(inputs[1], self.hidden, outputs, self.pooling)


EXAMPLE = SeriesLSTM()

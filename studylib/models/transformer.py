"""A small transformer encoder for text.

Source: Vaswani et al. (2017), https://arxiv.org/abs/1706.03762

Normalisation before each branch: Xiong et al. (2020), https://arxiv.org/abs/2002.04745
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Self, final

from pydantic import Field, model_validator

from studylib.models.base import LayerKind, Model

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

BLOCK = ("query", "key", "value", "attend", "expand", "contract")


@final
class Transformer(Model):
    """h ← h + attention(norm(h)), h ← h + relu network(norm(h)) in blocks over the words, then their mean.

    Word vectors and vectors of positions are learned and added. Blocks are those of torch's
    ``TransformerEncoderLayer`` with ``norm_first``, without the bias of the keys, which has no effect.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"text"})

    dimension: Annotated[int, Field(ge=1, description="length of a word vector")] = 32
    heads: Annotated[int, Field(ge=1, description="heads of an attention, which share the dimension")] = 4
    blocks: Annotated[int, Field(ge=1, description="blocks of two residual branches each")] = 2
    hidden: Annotated[int, Field(ge=1, description="units of the hidden layer of a block")] = 64

    @model_validator(mode="after")
    def _shares_out_evenly(self) -> Self:
        if self.dimension % self.heads:
            raise ValueError(f"heads that divide the dimension of {self.dimension}")
        return self

    def layers(self) -> Mapping[str, LayerKind]:
        blocks = (f"{layer}{block}" for block in range(1, self.blocks + 1) for layer in BLOCK)
        return {
            "embedding": "embedding",
            "position": "embedding",
            **dict.fromkeys(blocks, "linear"),
            "output": "linear",
        }

    def slots(self) -> tuple[tuple[str, str], ...]:
        blocks = tuple(
            slot
            for block in range(1, self.blocks + 1)
            for slot in (
                (f"attend{block}", "attention"),
                (f"attend{block}", "branch"),
                (f"contract{block}", "branch"),
            )
        )
        return (("embedding", "embedding"), *blocks, ("mean", "units"))

    def build(self, inputs: tuple[int, ...], outputs: int) -> nn.Module:
        from studylib.models._transformer import TransformerNetwork

        return TransformerNetwork(inputs, self.dimension, self.heads, self.blocks, self.hidden, outputs)


EXAMPLE = Transformer()

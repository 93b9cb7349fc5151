"""What the techniques that price the vectors of a batch add to the gradients of a stack, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from studylib.regularizers.base import InteractionPenalty
from studylib.trainers._together import Together, of_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from studylib.trainers._factor_batches import Batch
    from studylib.trainers.techniques import Techniques

PRICED = ("rows.weight", "items.weight", "row_bias", "item_bias")  # in a ranking the bias of an item is free


@final
class StackPrices:
    """∂/∂w of price/n·w², for every row that one of n interactions used."""

    def __init__(self, techniques: Sequence[Techniques]) -> None:
        self._penalties: list[Together[InteractionPenalty]] = of_all(InteractionPenalty, techniques)

    def begin(self) -> None:
        """Begin an epoch, in which each penalty is as strong as it is now."""
        for penalty in self._penalties:
            penalty.begin()

    @torch.no_grad()
    def add(self, gradients: Mapping[str, Tensor], weights: Mapping[str, Tensor], batch: Batch) -> None:
        """Add what a batch pays to ``gradients``, which are those of ``weights`` by name."""
        count, each = batch.items.shape[1:]
        sides = batch.by_row.counts // each, batch.by_item.counts
        counts = torch.cat(sides, 1).to(weights["rows.weight"].dtype)
        for penalty in self._penalties:
            both = penalty(lambda one, _, own: one.prices(own, count), counts)
            of_vectors, of_biases = (one.split([own.shape[1] for own in sides], 1) for one in both)
            for name, price in zip(PRICED, (*of_vectors, *of_biases), strict=True):
                if name in weights:
                    w = weights[name]
                    gradients[name].addcmul_(w, price[:, : w.shape[1], None], value=2 / count)

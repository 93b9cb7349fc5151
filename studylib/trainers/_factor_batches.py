"""Interactions of several fits in batches, and what adds up what is told of them, row by row of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STEPS = 16  # that are put in order at once: what is known of them stays in a core's cache


@final
class Interactions(NamedTuple):
    """Rows with the items that they are held against, and what is known of them.

    Attributes:
        numbers: of a row and of m items, (…, n, 1 + m).
        target: (…, n); without a last axis if nothing is known but that they are.
    """

    numbers: Tensor
    target: Tensor


@final
class Bags(NamedTuple):
    """Entries, each of which is about a row of a table, those of one row side by side.

    Attributes:
        order: the places of the entries, (replicas·entries,).
        starts: where in ``order`` each row's begin, (replicas·height,).
        counts: how many each row has, (replicas, height).
    """

    order: Tensor
    starts: Tensor
    counts: Tensor

    def each(self, count: int) -> Bags:
        """Return the same of entries of which each is taken apart into ``count``."""
        if count == 1:
            return self
        parts = self.order[:, None] * count + torch.arange(count, device=self.order.device)
        return Bags(parts.flatten(), self.starts * count, self.counts * count)

    def sums(self, told: Tensor) -> Tensor:
        """Return the sums of what is ``told`` of the entries, (replicas·entries, d): (replicas·height, d)."""
        return F.embedding_bag(self.order, told, self.starts, mode="sum")

    def weighted(self, table: Tensor, places: Tensor, shares: Tensor) -> Tensor:
        """Return for each row Σ share·table[place] over its entries, (replicas·height, d).

        Args:
            table: vectors (…, d).
            places: of each entry, (replicas·entries,).
            shares: likewise.
        """
        chosen, own = places.index_select(0, self.order), shares.index_select(0, self.order)
        return F.embedding_bag(chosen, table, self.starts, mode="sum", per_sample_weights=own)


@final
class Batch(NamedTuple):
    """A batch of each replica.

    Attributes:
        rows: their numbers, (replicas, n).
        items: the numbers of the items of each, (replicas, n, m).
        target: (replicas, n), or (replicas, n, 0).
        by_row: of interactions.
        by_item: of items, m for each interaction.
    """

    rows: Tensor
    items: Tensor
    target: Tensor
    by_row: Bags
    by_item: Bags


def batches(fits: Sequence[Interactions], size: int, heights: tuple[int, int]) -> Iterator[Batch]:
    """Give the interactions of all ``fits`` in their order, ``size`` of each at a time.

    Args:
        fits: as many interactions of each.
        size: of a batch.
        heights: how far apart in memory the tables of two replicas begin: those of rows, those of items.
    """
    numbers, target = (torch.stack(parts) for parts in zip(*fits, strict=True))
    whole = numbers.shape[1] // size * size
    for first in range(0, whole, size * STEPS):
        some = slice(first, min(first + size * STEPS, whole))
        yield from _of_size(numbers[:, some], target[:, some], size, heights)
    if whole < numbers.shape[1]:
        yield from _of_size(numbers[:, whole:], target[:, whole:], numbers.shape[1] - whole, heights)


def _of_size(numbers: Tensor, target: Tensor, size: int, heights: tuple[int, int]) -> Iterator[Batch]:
    rows, items = numbers[..., 0], numbers[..., 1:]
    ordered = [
        bags(some.unflatten(1, (-1, size)).flatten(2), height)
        for some, height in zip((rows, items), heights, strict=True)
    ]
    cut = [one.split(size, 1) for one in (rows, items, target)]
    for batch in zip(*cut, *ordered, strict=True):
        yield Batch(*batch)


def bags(numbers: Tensor, height: int) -> list[Bags]:
    """Return the bags of each step.

    Args:
        numbers: of the row that an entry is about, (replicas, steps, entries).
        height: more than any of them.
    """
    own = numbers.cpu().numpy()
    replicas, steps, entries = own.shape
    order = _sorted(own, height) + np.arange(0, replicas * entries, entries)[:, None, None]
    first = np.arange(steps) * (replicas * height) + np.arange(0, replicas * height, height)[:, None]
    counted = np.bincount((own + first[..., None]).ravel(), minlength=steps * replicas * height)
    counts = counted.reshape(steps, -1)
    made = [torch.from_numpy(one).to(numbers.device) for one in (order, counts.cumsum(1) - counts, counts)]
    return [
        Bags(made[0][:, step].flatten(), starts, counts.view(replicas, height))
        for step, (starts, counts) in enumerate(zip(*made[1:], strict=True))
    ]


def _sorted(numbers: np.ndarray, height: int) -> np.ndarray:
    """Return the places of the last axis by number; of equal ones the first is first."""
    entries = numbers.shape[-1]
    bits = (entries - 1).bit_length()
    # a number and its place in one integer: to sort these is three times as fast as to ask for the order
    kind = np.int32 if height << bits <= np.iinfo(np.int32).max else np.int64
    both = numbers.astype(kind) << bits | np.arange(entries, dtype=kind)
    both.sort(axis=-1)
    places: np.ndarray = both & (1 << bits) - 1
    return places

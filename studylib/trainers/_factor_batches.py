"""Interactions of several fits in batches, and what adds up what is told of them, row by row of a table."""

from __future__ import annotations

from itertools import pairwise
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
        rows: their numbers, (…, n).
        items: the numbers of m items of each, (…, n, m).
        target: (…, n), or (…, n, 0) if nothing is known but that they are.
    """

    rows: Tensor
    items: Tensor
    target: Tensor


@final
class Bags(NamedTuple):
    """Entries, each of which is about a row of one table and names a row of another.

    Attributes:
        order: the places of the entries, those of one row side by side, (replicas·entries,).
        named: the place of what each of those names, likewise.
        starts: where in ``order`` each row's begin, (replicas·height,).
        counts: how many each row has, (replicas, height).
    """

    order: Tensor
    named: Tensor
    starts: Tensor
    counts: Tensor

    def sums(self, told: Tensor, each: int = 1) -> Tensor:
        """Return for each row the sum of what is told of its entries, (replicas·height, d).

        Args:
            told: of every so many entries, (replicas·entries/each, d), which are all of one row.
            each: how many these are.
        """
        first = (self.order % each == 0).to(told.dtype)
        return F.embedding_bag(self.order // each, told, self.starts, mode="sum", per_sample_weights=first)

    def weighted(self, table: Tensor, shares: Tensor) -> Tensor:
        """Return for each row the sum of share·vector over its entries, (replicas·height, d).

        Args:
            table: vectors that are named, (…, d).
            shares: of each entry, (replicas·entries,).
        """
        own = shares.index_select(0, self.order)
        return F.embedding_bag(self.named, table, self.starts, mode="sum", per_sample_weights=own)


@final
class Batch(NamedTuple):
    """A batch of each replica: n interactions with m items each, which are m entries.

    Attributes:
        rows: the numbers of the row of each entry, (replicas, n·m).
        items: the numbers of the items, (replicas, n, m).
        target: (replicas, n), or (replicas, n, 0).
        by_row: entries by row; they name items.
        by_item: entries by item; they name rows.
    """

    rows: Tensor
    items: Tensor
    target: Tensor
    by_row: Bags
    by_item: Bags


def batches(
    drawn: Sequence[Interactions], of: Sequence[int], size: int, heights: tuple[int, int]
) -> Iterator[Batch]:
    """Give what was ``drawn``, in its order, ``size`` interactions at a time.

    Args:
        drawn: as many interactions in each; fits of one seed have the same ones.
        of: which of them each replica has.
        size: of a batch.
        heights: how far apart in memory the tables of two replicas begin: those of rows, those of items.
    """
    whole = Interactions(*(torch.stack(parts) for parts in zip(*drawn, strict=True)))
    chosen = torch.tensor(of, device=whole.rows.device)
    count = whole.rows.shape[1]
    full = count // size * size
    ends = [*range(0, full, size * STEPS), full, *([count] if full < count else [])]
    for first, end in pairwise(ends):
        some = Interactions(*(one[:, first:end] for one in whole))
        yield from _of_size(some, chosen, min(size, end - first), heights)


def _of_size(some: Interactions, chosen: Tensor, size: int, heights: tuple[int, int]) -> Iterator[Batch]:
    rows, items, target = (one.unflatten(1, (-1, size)).transpose(0, 1) for one in some)
    entries = rows[..., None].expand_as(items).flatten(2)
    by_row = bags(entries, items.flatten(2), chosen, heights)
    by_item = bags(items.flatten(2), entries, chosen, heights[::-1])
    own = (one.index_select(1, chosen) for one in (entries, items, target))
    for batch in zip(*own, by_row, by_item, strict=True):
        yield Batch(*batch)


def bags(rows: Tensor, named: Tensor, chosen: Tensor, heights: tuple[int, int]) -> list[Bags]:
    """Return the bags of each step.

    Args:
        rows: the numbers of the rows that entries are about, (steps, fits, entries).
        named: the numbers of those that they name, likewise.
        chosen: which fit's each replica has, (replicas,).
        heights: of the tables of rows, and of those that are named: more than any of the numbers.
    """
    own = rows.cpu().numpy()
    steps, fits, entries = own.shape
    order = _sorted(own, heights[0])
    others = np.take_along_axis(named.cpu().numpy(), order, -1)
    tables = np.arange(steps * fits).reshape(steps, fits, 1) * heights[0]
    counts = np.bincount((own + tables).ravel(), minlength=steps * fits * heights[0])
    counts = counts.reshape(steps, fits, heights[0])
    starts = counts.cumsum(2) - counts
    replicas = torch.arange(len(chosen), device=chosen.device)[:, None]

    def each(array: np.ndarray, distance: int) -> Tensor:
        moved = torch.from_numpy(array).to(chosen.device)
        return moved.index_select(1, chosen) + replicas * distance

    parts = each(order, entries), each(others, heights[1]), each(starts, entries)
    flat = (one.flatten(1) for one in parts)
    return [Bags(*one) for one in zip(*flat, each(counts, 0), strict=True)]


def _sorted(numbers: np.ndarray, height: int) -> np.ndarray:
    """Return the places of the last axis by number; of equal ones the first is first."""
    entries = numbers.shape[-1]
    bits = (entries - 1).bit_length()
    # a number and its place in one integer: to sort these is three times as fast as to ask for the order
    kind = np.int32 if height << bits <= np.iinfo(np.int32).max else np.int64
    both = numbers.astype(kind) << bits | np.arange(entries, dtype=kind)
    both.sort(axis=-1)
    places: np.ndarray = both & (1 << bits) - 1
    return places.astype(np.int64)

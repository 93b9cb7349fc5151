"""Tables that are walked through block by block, so that none is copied whole in another precision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import numpy as np

from studylib.trainers._curvature import Array, Indices

NUMBERS = 1 << 20  # in a block, at most: 8 MiB
FEW = 1 << 22  # numbers in a table that is small enough to be kept whole
FLAT = 1e-13  # spread of a column, relative to its size, below which it is constant but for rounding


def slices(rows: int, columns: int) -> Iterator[slice]:
    """Give the rows of a table from first to last, in stretches of at most ``NUMBERS`` numbers."""
    step = max(1, NUMBERS // max(1, columns))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


def product(x: Array, weights: Array) -> Array:
    """Return x @ weights in float64, for ``x`` of any precision, shape (n, p)."""
    if x.dtype == np.float64:
        return np.asarray(x @ weights)
    out = np.empty((len(x), *weights.shape[1:]))
    for rows in slices(*x.shape):
        out[rows] = x[rows].astype(np.float64) @ weights
    return out


def mean(x: Array) -> Array:
    """Return the mean of the rows ``x`` in float64, shape (p,)."""
    total = np.zeros(x.shape[1])
    for rows in slices(*x.shape):
        total += x[rows].sum(axis=0, dtype=np.float64)
    return total / len(x)


@final
class Table:
    """Rows less their mean, in float64, of a table in any precision; it is copied only if it is small.

    A constant column becomes exactly zero: what rounding leaves of it would be fitted otherwise.

    Attributes:
        shape: (n, p).
        centre: mean of the rows, shape (p,).
        spread: standard deviation of each column, shape (p,).
    """

    def __init__(self, x: Array) -> None:
        self.shape: tuple[int, int] = (x.shape[0], x.shape[1])
        self.centre = mean(x)
        self._x = x
        self._kept: Array | None = None
        self._flat = np.zeros(0, dtype=np.intp)
        if x.size <= FEW:
            self._kept = x - self.centre
        squares = sum(np.einsum("ij,ij->j", block, block) for _, block in self.blocks())
        self.spread: Array = np.sqrt(squares / len(x))
        self._flat = np.flatnonzero(self.spread <= FLAT * np.abs(self.centre))
        self.spread[self._flat] = 0.0
        if self._kept is not None:
            self._kept[:, self._flat] = 0.0

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Give stretches of rows and their numbers, which are not to be changed."""
        if self._kept is not None:
            yield slice(0, len(self._kept)), self._kept
            return
        for rows in slices(*self.shape):
            block = self._x[rows] - self.centre
            block[:, self._flat] = 0.0
            yield rows, block

    def taken(self, rows: Indices) -> Array:
        """Return some of the rows; not to be changed."""
        if self._kept is not None:
            return self._kept[rows]
        block: Array = self._x[rows] - self.centre
        block[:, self._flat] = 0.0
        return block

    def whole(self) -> Array:
        """Return all rows; not to be changed."""
        return self._kept if self._kept is not None else np.concatenate([block for _, block in self.blocks()])

    def times(self, weights: Array) -> Array:
        """Return x @ weights, shape (n,)."""
        out = np.empty(self.shape[0])
        for rows, block in self.blocks():
            out[rows] = block @ weights
        return out

    def across(self, values: Array) -> Array:
        """Return values @ x, shape (p,)."""
        total = np.zeros(self.shape[1])
        for rows, block in self.blocks():
            total += values[rows] @ block
        return total

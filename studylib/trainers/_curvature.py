"""Positive semidefinite matrices, seen through the few of their columns that are asked for."""

from __future__ import annotations

from typing import Protocol, final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

GRAM_LIMIT = 1000  # columns up to which H is stored whole, even if there are fewer rows
FEW_ROWS = 200  # up to which a product of columns costs less than to look it up


class Curvature(Protocol):
    """A positive semidefinite H, shape (p, p), seen through a few of its columns."""

    @property
    def diagonal(self) -> Array:
        """Return the diagonal of H, shape (p,)."""

    def times(self, columns: Indices, values: Array) -> Array:
        """Return H[:, columns] @ values, shape (p,)."""

    def block(self, columns: Indices) -> Array:
        """Return a new H[columns][:, columns]."""


@final
class Gram:
    """H, stored."""

    def __init__(self, matrix: Array) -> None:
        self._matrix = matrix
        self.diagonal: Array = matrix.diagonal()

    def times(self, columns: Indices, values: Array) -> Array:
        """Return H[:, columns] @ values: H is symmetric, and its rows lie together in memory."""
        return np.asarray(values @ self._matrix[columns])

    def block(self, columns: Indices) -> Array:
        """Return H[columns][:, columns]."""
        return self._matrix[columns[:, None], columns]


@final
class Thin:
    """H = CCᵀ for a C, shape (p, n), of so few n that products of its rows are worth no memory."""

    def __init__(self, columns: Array) -> None:
        self._columns = columns
        self.diagonal: Array = np.einsum("ij,ij->i", columns, columns)

    def times(self, columns: Indices, values: Array) -> Array:
        """Return C(C[columns]ᵀ values)."""
        return np.asarray(self._columns @ (values @ self._columns[columns]))

    def block(self, columns: Indices) -> Array:
        """Return C[columns] C[columns]ᵀ."""
        part = self._columns[columns]
        return np.asarray(part @ part.T)


@final
class Factor:
    """H = CCᵀ for a C, shape (p, n), with so large a p that H itself would be too large.

    The part of H that was asked for so far is kept.
    """

    def __init__(self, columns: Array) -> None:
        self._columns = columns
        self.diagonal: Array = np.einsum("ij,ij->i", columns, columns)
        self._place: Indices = np.full(len(columns), -1)
        self._known: Indices = np.empty(0, dtype=np.intp)
        self._gram: Array = np.empty((0, 0))

    def times(self, columns: Indices, values: Array) -> Array:
        """Return C(C[columns]ᵀ values)."""
        return np.asarray(self._columns @ (values @ self._columns[columns]))

    def block(self, columns: Indices) -> Array:
        """Return C[columns] C[columns]ᵀ."""
        new = columns[self._place[columns] < 0]
        if len(new):
            self._learn(new)
        place = self._place[columns]
        return self._gram[place[:, None], place]

    def _learn(self, new: Indices) -> None:
        part = self._columns[new]
        across = self._columns[self._known] @ part.T
        self._gram = np.block([[self._gram, across], [across.T, part @ part.T]])
        self._place[new] = len(self._known) + np.arange(len(new))
        self._known = np.concatenate([self._known, new])


def curvature(rows: Array) -> Curvature:
    """Return AᵀA of ``rows`` A, shape (n, p), in the form that is cheapest to work with."""
    n, p = rows.shape
    if p <= max(n, GRAM_LIMIT):
        return Gram(rows.T @ rows)
    return of_columns(np.ascontiguousarray(rows.T))


def of_columns(columns: Array) -> Curvature:
    """Return CCᵀ of ``columns`` C, shape (p, n) with p > n."""
    return Thin(columns) if columns.shape[1] <= FEW_ROWS else Factor(columns)

"""What a drawing is: a vector image, the same finding in words, and the numbers that it was drawn from."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, final

CSV = "text/csv"
Cell = str | float | int | None


@final
@dataclass(frozen=True)
class Table:
    """The numbers behind a drawing.

    Attributes:
        columns: names, with the unit of their numbers.
        rows: a cell for each column, as exact as they were drawn from; None where there is nothing.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def csv(self) -> str:
        """Return the table as a file for spreadsheets (RFC 4180), numbers with five digits."""
        buffer = StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerows([self.columns, *([_written(cell) for cell in row] for row in self.rows)])
        return buffer.getvalue()


def _written(cell: Cell) -> str:
    if isinstance(cell, float):
        return "" if cell != cell else f"{cell:.5g}"  # noqa: PLR0124  # nan alone differs from itself
    return "" if cell is None else str(cell)


@final
@dataclass(frozen=True)
class Picture:
    """An image for those who see it, its text for those who do not, its numbers for those who doubt.

    Attributes:
        svg: one ``<svg>`` element; the same numbers give the same text.
        alt: what it shows, in sentences, with the numbers where they are few.
        data: what it was drawn from; None where there is nothing to tabulate.
    """

    svg: str
    alt: str
    data: Table | None = None

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        numbers = {CSV: self.data.csv()} if self.data else {}
        return {"image/svg+xml": self.svg, "text/plain": self.alt, **numbers}

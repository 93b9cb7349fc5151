"""Tables of one's own, CSV or parquet, read by pyarrow: columns as numbers, texts, levels or times.

Rows are counted as a spreadsheet shows them: the names of a CSV's columns are row 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, final

from studylib.datasets import _cells
from studylib.datasets._csv_blocks import texts
from studylib.datasets._loading import loading
from studylib.datasets._own import fingerprint, located
from studylib.datasets._spelling import header, refuse_misspelt
from studylib.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from studylib.datasets._loading import Tell

PARQUET = b"PAR1"
LISTED = 12  # names that a message lists


@final
@dataclass(frozen=True)
class Place:
    """Where a column stands, for messages: the path as it was typed, the name, the row of its first cell."""

    path: str
    column: str
    first: int

    def error(self, index: int, what: str) -> ParameterError:
        """Return the error that is about the cell ``index``, counted from 0."""
        return ParameterError(f"{self.path}, row {self.first + index}, column {self.column!r}: {what}")

    def whole(self, what: str) -> ParameterError:
        """Return the error that is about the column as a whole."""
        return ParameterError(f"{self.path}, column {self.column!r}: {what}")


@final
@dataclass(frozen=True)
class Table:
    """Columns of a table by their role, such as ``text``, as they stand in the file.

    Attributes:
        path: as it was typed.
        rows: how many there are.
        names: of all columns of the file.
        columns: by role the name, and the cells.
        first: the row of the first cells, 2 for a CSV.
    """

    path: str
    rows: int
    names: tuple[str, ...]
    columns: Mapping[str, tuple[str, pa.ChunkedArray]]
    first: int

    def numbers(self, role: str) -> np.ndarray:
        """Return the column as finite numbers, float64.

        Raises:
            ParameterError: the first cell that is missing, infinite or no number.
        """
        return _cells.finite(*self._cells(role))

    def texts(self, role: str) -> list[str]:
        """Return the column as texts, numbers as they are written.

        Raises:
            ParameterError: the first cell that is missing or blank.
        """
        return _cells.texts(*self._cells(role))

    def levels(self, role: str) -> tuple[tuple[str, ...], np.ndarray]:
        """Return the different values as texts, in a stable order, and the number of each row's, int64.

        Whole numbers are ordered as numbers, other texts by the alphabet.

        Raises:
            ParameterError: the first cell that is missing or blank.
        """
        return _cells.levels(*self._cells(role))

    def times(self, role: str) -> np.ndarray:
        """Return the column as ``datetime64[us]``, without a zone: UTC where zones are given.

        Dates and times are as ISO 8601 has them, or seconds since 1970 as whole numbers.

        Raises:
            ParameterError: the first cell that is missing or no time.
        """
        return _cells.times(*self._cells(role))

    def place(self, role: str) -> Place:
        """Return where the column of a ``role`` stands, to tell what is wrong with a cell."""
        return self._cells(role)[1]

    def _cells(self, role: str) -> tuple[pa.ChunkedArray, Place]:
        name, cells = self.columns[role]
        return cells, Place(self.path, name, self.first)


def read(path: str, wanted: Mapping[str, str]) -> Table:
    """Read the ``wanted`` columns, named by role, of a CSV or parquet, which its first bytes tell apart.

    Raises:
        ParameterError: no such file or column, no rows, rows of other lengths, another encoding, quotes that
            never close, two columns of one name.
    """
    import pyarrow as pa

    source = Source.of(path)
    for role, name in wanted.items():
        refuse_unknown(path, source.names, name, f"dataset.{role}")
    with loading(source.path.name, source.path.stat().st_size) as tell:
        blocks = list(source.blocks([*dict.fromkeys(wanted.values())], tell))
    if not sum(len(block) for block in blocks):
        raise ParameterError(f"{path}: expected rows below the names of the columns, got none.")
    whole = pa.Table.from_batches(blocks)
    columns = {role: (name, whole[name]) for role, name in wanted.items()}
    return Table(path, len(whole), tuple(source.names), columns, source.first)


def refuse_unknown(path: str, names: Sequence[str], name: str, setting: str) -> None:
    """Insist that ``name`` is a column.

    Raises:
        ParameterError: it is not; the nearest is named.
    """
    if name in names:
        return
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    known = ", ".join(names[:LISTED]) + more
    raise ParameterError(
        f"{path}: {setting}: there is no column {name!r}.{did_you_mean(name, names)} Columns: {known}."
    )


@final
@dataclass(frozen=True)
class Source:
    """A table that is read block by block, so that it need not fit into memory.

    Attributes:
        names: of the columns.
        separator: of a CSV; empty for parquet.
        first: the row of the first cells.
    """

    shown: str
    path: Path
    names: list[str]
    separator: str
    first: int

    @classmethod
    def of(cls, path: str) -> Source:
        """Look at the bytes of the file, and at its first row.

        Raises:
            ParameterError: it is not there, is no table, is not UTF-8, or its columns have no names.
        """
        found = located(path)
        return _looked_at(path, found, fingerprint(found))

    def blocks(self, columns: Sequence[str], tell: Tell | None = None) -> Iterator[pa.RecordBatch]:
        """Give the ``columns``, some rows at a time; the cells of a CSV are texts, null where missing.

        Args:
            tell: is told how many bytes are read.

        Raises:
            ParameterError: the file is not well formed, and where.
        """
        if self.separator:
            return texts(self.path, self.shown, self.names, self.separator, columns, tell or _unheard)
        from studylib.datasets import _parquet

        return _parquet.blocks(self.path, self.shown, columns, tell or _unheard)


@lru_cache(maxsize=16)
def _looked_at(path: str, found: Path, content: str) -> Source:  # noqa: ARG001  # by which it is remembered
    with found.open("rb") as file:
        if file.read(len(PARQUET)) == PARQUET:
            from studylib.datasets import _parquet

            return Source(path, found, _parquet.names(found, path), "", 1)
    refuse_misspelt(found, path)
    return Source(path, found, *header(found, path), 2)


def _unheard(_done: int) -> None:
    return

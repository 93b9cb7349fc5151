"""Blocks of a table's cells as blocks of numbers, whose kinds are found on the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from studylib.datasets import _cells
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

ROWS = 1 << 15  # that are put in order at once
MOST_LEVELS = 1_000_000  # of one column: what has more is a text, or an id
KINDS = ("number", "time", "text")  # in the order in which they are tried


@final
class Writer:
    """Turns blocks of cells into blocks of numbers.

    Attributes:
        surprised: whether a later block showed that a column is of another kind than those before.
    """

    def __init__(self, shown: str, kinds: dict[str, str]) -> None:
        self._shown = shown
        self._kinds = kinds
        self.rows = 0
        self.surprised = False
        self.levels: dict[str, dict[str, int]] = {name: {} for name in kinds}

    def numbers(self, block: pa.RecordBatch) -> np.ndarray:
        """Return the block, shape (rows, columns), float64."""
        import numpy as np

        found = np.empty((len(block), len(self._kinds)))
        for column, name in enumerate(self._kinds):
            cells = block.column(column)
            numbers = self._of_kind(name, cells)
            while numbers is None:
                self._kinds[name] = KINDS[KINDS.index(self._kinds[name]) + 1]
                self.surprised |= self.rows > 0
                numbers = self._of_kind(name, cells)
            found[:, column] = numbers
        self.rows += len(block)
        return found

    def _of_kind(self, name: str, cells: Any) -> np.ndarray | None:
        """Return the cells as numbers of the kind that the column has so far, None if it has another."""
        import numpy as np

        if self._kinds[name] == "text":
            return self._codes(name, cells)
        if self._kinds[name] == "number":
            numbers, wrong = _cells.numbers_of(cells)
            return numbers if wrong is None else None
        found, wrong = _cells.times_of(cells, missing=np.datetime64("NaT"))
        if wrong is not None:
            return None
        since = found.astype(np.int64).astype(np.float64)
        since[np.isnat(found)] = np.nan
        return since

    def _codes(self, name: str, cells: Any) -> np.ndarray:
        import numpy as np

        known = self.levels[name]
        coded = _cells.trimmed(cells).dictionary_encode()
        own = [known.setdefault(text, len(known)) for text in coded.dictionary.to_pylist()]
        if len(known) > MOST_LEVELS:
            raise ParameterError(
                f"{self._shown}, column {name!r}: more than {MOST_LEVELS:,} different texts."
                f" Leave it out: --set 'dataset.leave_out=[{name}]'."
            )
        codes = np.asarray(coded.indices.fill_null(len(own)))
        numbers: np.ndarray = np.array([*own, np.nan])[codes]
        return numbers


def in_order(path: Path, writer: Writer) -> tuple[list[list[str]], list[list[int]]]:
    """Number the levels of texts in their order, not that of the rows; return them, and their counts."""
    import numpy as np

    found = [list(levels) for levels in writer.levels.values()]
    orders = [_cells.ordered(levels) for levels in found]
    counts = [np.zeros(len(levels), dtype=np.int64) for levels in found]
    values = np.memmap(path, dtype=np.float64, mode="r+", shape=(writer.rows, len(found)))
    for column, order in enumerate(orders):
        rank = np.full(len(order) + 1, np.nan)
        rank[order] = np.arange(len(order))
        for start in range(0, writer.rows if order else 0, ROWS):
            part = values[start : start + ROWS, column]
            codes = np.nan_to_num(part, nan=len(order)).astype(np.int64)
            part[:] = rank[codes]
            present = rank[codes][codes < len(order)].astype(np.int64)
            counts[column] += np.bincount(present, minlength=len(order))
    values.flush()
    ordered = [[levels[at] for at in order] for levels, order in zip(found, orders, strict=True)]
    return ordered, [one.tolist() for one in counts]

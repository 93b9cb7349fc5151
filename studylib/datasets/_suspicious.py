"""Columns that no model should be given as they are, refused with the setting that says what was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from studylib.datasets import _cells
from studylib.datasets._design import LEVELS, ROWS
from studylib.datasets._tables import Place
from studylib.datasets._targets import LARGEST, counts_rows
from studylib.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studylib.datasets._columns import Columns

FEW = 20  # rows below which nearly every column looks like one of ids
DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}( .*)?")


def gaps(columns: Columns) -> dict[str, int]:
    """Return by name how many rows of each column are missing."""
    import numpy as np

    counts = np.zeros(len(columns.names), dtype=np.int64)
    for start in range(0, len(columns), ROWS):
        counts += np.isnan(columns.cells[start : start + ROWS]).sum(axis=0)
    return dict(zip(columns.names, counts.tolist(), strict=True))


def refuse_features(path: str, columns: Columns, names: Iterable[str], said: frozenset[str]) -> None:
    """Insist that the columns ``names`` are numbers, times or categories.

    Args:
        path: as it was typed.
        columns: the table.
        names: of the columns that the inputs are made of.
        said: those of them that were named by whoever brought the table, and may look like ids.

    Raises:
        ParameterError: a number that is not finite, numbers and texts in one column, or a column of ids.
    """
    for name in names:
        place = Place(path, name, columns.first)
        if columns.kinds[columns.names.index(name)] == "text":
            _refuse_texts(columns, name, place, name in said)
        else:
            _refuse_numbers(columns, name, place, name in said)


def _refuse_numbers(columns: Columns, name: str, place: Place, said: bool) -> None:  # noqa: FBT001  # of one call
    import numpy as np

    values = columns.of(name)
    large = np.flatnonzero(np.abs(values) > LARGEST)
    if len(large):
        raise place.error(
            int(large[0]), f"expected a finite number, got {values[large[0]]:g}. Mend it. {_left_out(name)}"
        )
    if not said and len(values) >= FEW and counts_rows(values):
        raise _id(place, "it counts the rows")


def _refuse_texts(columns: Columns, name: str, place: Place, said: bool) -> None:  # noqa: FBT001  # of one call
    import numpy as np

    column = columns.names.index(name)
    levels, counts = columns.levels[column], columns.counts[column]
    present = sum(counts)
    if said or len(levels) <= LEVELS or present < FEW:
        return

    def row(level: int) -> int:
        return int(np.flatnonzero(columns.of(name) == level)[0])

    hinted = [level for level, text in enumerate(levels) if _cells.hint(text)]
    if sum(counts[level] for level in hinted) > present / 2:
        text = levels[hinted[0]]
        raise place.error(row(hinted[0]), f"expected a number, got {text!r}.{_cells.hint(text)}")
    texts = [level for level, text in enumerate(levels) if not _cells.is_number(text)]
    odd = sum(counts[level] for level in texts)
    if odd <= present / 2:
        first = min(texts[:100], key=row)
        raise place.error(
            row(first),
            f"expected a number, as in {present - odd:,} other rows, got {levels[first]!r}"
            f" ({odd:,} such row{'s' * (odd > 1)}). Mend that, or say that it holds categories:"
            f" --set 'dataset.categories=[{name}]'.",
        )
    if len(levels) > present / 2:
        if sum(DATE.fullmatch(text) is not None for text in levels[:100]) > 50:
            raise place.whole(f"is {levels[0]!r} a time? Write it as 2024-01-31. {_left_out(name)}")
        raise _id(place, f"{len(levels):,} different texts in {present:,} rows, such as {levels[0]!r}")


def _id(place: Place, why: str) -> ParameterError:
    kept = f"--set 'dataset.categories=[{place.column}]' if it says something about other rows"
    if why == "it counts the rows":
        kept = "name it among dataset.columns if it is a measure"
    return place.whole(f"{why}: is it an id? {_left_out(place.column)} Or {kept}.")


def _left_out(name: str) -> str:
    return f"Leave it out: --set 'dataset.leave_out=[{name}]'."

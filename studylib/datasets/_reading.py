"""What was found in a table of one's own: its target and its inputs, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import final

from studylib.datasets import _suspicious
from studylib.datasets._asked_table import AskedTable
from studylib.datasets._columns import Columns, columns_of
from studylib.datasets._design import Feature, features
from studylib.datasets._own import fingerprint, located
from studylib.datasets._spelling import SEPARATORS, UNNAMED
from studylib.datasets._tables import Place, Source, refuse_unknown
from studylib.datasets._targets import Target, counts_rows, target_of
from studylib.errors import ParameterError

FORMATS = ("csv", "parquet")  # of which one is text
MOST_COLUMNS = 8_000  # of the inputs
INDICES = (f"{UNNAMED}1", "__index_level_0__")  # what pandas leaves without a name, or calls so
NAMED = 10  # columns that a sentence names


@final
@dataclass(frozen=True)
class Reading:
    """A table that was read and found usable.

    Attributes:
        gaps: by column how many cells are missing.
        idle: columns that say nothing, and are left out: empty, or the row numbers that a program wrote.
        role: of columns that are neither the target nor predicted from.
    """

    table: AskedTable
    columns: Columns
    target: Target
    features: tuple[Feature, ...]
    gaps: dict[str, int]
    idle: tuple[str, ...]

    def described(self) -> str:
        """Return rows, columns, and why it is taken for a classification or a regression."""
        table, columns = self.table, self.columns
        used = sorted({feature.column for feature in self.features})
        kinds = [columns.kinds[column] for column in used]
        of_kinds = ", ".join(f"{kinds.count(kind)} of {kind}s" for kind in dict.fromkeys(kinds))
        said = "as told" if table.asked else f"for {self.target.why}"
        sentences = [
            f"{len(columns):,} rows; {self.target.task} of {table.target!r}, {said}",
            f"It is predicted from {len(used)} columns ({of_kinds}), which make {len(self.features)} inputs",
        ]
        if columns.separator not in {"", ","}:
            sentences.append(f"The separator is a {SEPARATORS[columns.separator]}")
        if table.group:
            sentences.append(f"Rows of one {table.group!r} stay in one part")
        if table.time:
            sentences.append(
                f"By {table.time!r} train is earliest and test latest; a seed draws four fifths of each part"
            )
        gaps = [f"{columns.names[column]} ({self.gaps[columns.names[column]]:,})" for column in used]
        gaps = [gap for gap in gaps if not gap.endswith("(0)")]
        if gaps:
            more = f" and {len(gaps) - NAMED} more" if len(gaps) > NAMED else ""
            sentences.append(f"Missing cells, filled in by the train rows: {', '.join(gaps[:NAMED])}{more}")
        if self.idle:
            sentences.append(f"Left out, for they say nothing: {', '.join(self.idle[:NAMED])}")
        return ". ".join(sentences) + "."


def read_of(table: AskedTable) -> Reading:
    """Return what was found in ``table``, which is read once for each content of its file.

    Raises:
        ParameterError: what is wrong with the file or the settings, and where.
    """
    return _read(table, fingerprint(located(table.path)))


@lru_cache(maxsize=4)
def _read(table: AskedTable, content: str) -> Reading:  # noqa: ARG001  # by which it is remembered
    source = Source.of(table.path)
    if (other := FORMATS[not source.separator]) != table.name:
        raise ParameterError(
            f"{table.path}: expected {table.name}, got {other}: --set dataset.name={other} reads it."
        )
    _refuse_names(table, source)
    taken = {table.target, table.group, table.time, *table.leave_out}
    names = tuple(table.columns_used or [name for name in source.names if name not in taken])
    _refuse_count(table, len(names), source)
    others = [name for name in (table.target, table.group, table.time) if name]
    texts = tuple(name for name in (*names, *others) if name in table.categories or name == table.group)
    columns = columns_of(table.path, (*names, *others), texts)
    target = target_of(columns, table.target, table.asked, Place(table.path, table.target, columns.first))
    gaps = _suspicious.gaps(columns)
    for name in others[1:]:
        _refuse_gaps(table, columns, name)
    idle = tuple(name for name in names if gaps[name] == len(columns) or _is_index(columns, name))
    names = tuple(name for name in names if name not in idle)
    _suspicious.refuse_features(table.path, columns, names, frozenset(table.columns_used + table.categories))
    found = features(columns, names, frozenset(name for name in names if gaps[name]))
    _refuse_count(table, len(found), source)
    return Reading(table, columns, target, found, gaps, idle)


def _is_index(columns: Columns, name: str) -> bool:
    """Tell whether a column holds the row numbers that pandas writes before the first column."""
    return name in INDICES and counts_rows(columns.of(name))


def _refuse_names(table: AskedTable, source: Source) -> None:
    asked = {
        "target": [table.target],
        "group": [table.group] if table.group else [],
        "time": [table.time] if table.time else [],
        "columns": table.columns_used,
        "leave_out": table.leave_out,
        "categories": table.categories,
    }
    for setting, names in asked.items():
        for name in names:
            refuse_unknown(table.path, source.names, name, f"dataset.{setting}")
    if table.group and table.time:
        raise ParameterError(
            "dataset: expected a group or a time, got both: whole groups cannot be put in the order of time."
        )
    if table.target in {table.group, table.time, *table.columns_used}:
        raise ParameterError(
            f"dataset.target: {table.target!r} is also the group, the time, or a column that it is predicted"
            " from. Name another."
        )


def _refuse_count(table: AskedTable, count: int, source: Source) -> None:
    if not count:
        raise ParameterError(
            f"{table.path}: expected a column to predict {table.target!r} from, got none"
            f" ({len(source.names)} in the file)."
        )
    if count > MOST_COLUMNS:
        raise ParameterError(
            f"{table.path}: expected at most {MOST_COLUMNS:,} columns to predict from, got {count:,}."
            " Name those that matter: --set 'dataset.columns=[…]'."
        )


def _refuse_gaps(table: AskedTable, columns: Columns, name: str) -> None:
    import numpy as np

    missing: Iterable[int] = np.flatnonzero(np.isnan(columns.of(name)))
    for row in missing:
        place = Place(table.path, name, columns.first)
        raise place.error(int(row), "expected a value, got a missing cell. Drop the row, or mend it.")
    if name == table.time and columns.kinds[columns.names.index(name)] == "text":
        level = columns.levels[columns.names.index(name)][0]
        row = int(np.flatnonzero(columns.of(name) == 0)[0])
        raise Place(table.path, name, columns.first).error(
            row, f"expected a time such as 2024-01-31, or a number, got {level!r}."
        )

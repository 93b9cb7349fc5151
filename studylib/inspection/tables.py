"""A table of one's own, column by column: kinds, gaps, ranges, and columns that say nothing or too much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from studylib.datasets import _suspicious
from studylib.datasets._columns import Columns, columns_of
from studylib.datasets._reading import read_of
from studylib.datasets._tables import Source
from studylib.datasets._targets import counts_rows
from studylib.inspection.finding import Finding, left_out
from studylib.inspection.leakage import equal_columns, suspicion

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets._own_table import OwnTable

HEAD = ("column", "kind", "missing", "different", "values")
SHOWN = 4  # levels of a text
MOST = 300  # columns that are shown
FEW = 20  # rows below which every column looks like one of ids
HALF = 0.5  # of the rows: a column with more gaps, or more different texts, is told


@final
@dataclass(frozen=True)
class Profile:
    """What the columns of a file look like, whatever they are to be used for."""

    facts: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...]


def profile(table: OwnTable) -> Profile:
    """Look at every column of the file.

    Raises:
        ParameterError: it is no table, or not well formed.
    """
    source = Source.of(table.path)
    columns = columns_of(table.path, tuple(source.names), table.categories)
    gaps = _suspicious.gaps(columns)
    facts = (f"{table.path}: {len(columns):,} rows, {len(columns.names)} columns",)
    shown = columns.names[:MOST]
    rows = (HEAD, *(_row(columns, name, gaps[name]) for name in shown))
    apart = {table.target, table.group, table.time, *table.leave_out}
    found = [one for name in columns.names if name not in apart for one in _odd(columns, name, gaps[name])]
    return Profile(facts, rows, (*found, *_suggestions(table, columns)))


def _row(columns: Columns, name: str, missing: int) -> tuple[str, ...]:
    import numpy as np

    column = columns.names.index(name)
    kind, levels = columns.kinds[column], columns.levels[column]
    share = f"{missing:,} ({missing / len(columns):.1%})" if missing else ""
    if kind == "text":
        order = sorted(range(len(levels)), key=lambda level: -columns.counts[column][level])
        listed = ", ".join(levels[level][:30] for level in order[:SHOWN])
        return name, kind, share, f"{len(levels):,}", listed + ", …" * (len(levels) > SHOWN)
    values = columns.of(name)
    present = values[~np.isnan(values)]
    if not len(present):
        return name, "empty", share, "0", ""
    different = f"{len(np.unique(present)):,}"
    low, high = present.min(), present.max()
    if kind == "time":
        span = " to ".join(str(np.int64(end).astype("datetime64[us]"))[:16] for end in (low, high))
        return name, kind, share, different, span
    middle = f", mean {present.mean():.6g}" if np.isfinite(present).all() else ""
    return name, kind, share, different, f"{low:.6g} to {high:.6g}{middle}"


def _odd(columns: Columns, name: str, missing: int) -> list[Finding]:
    import numpy as np

    values = columns.of(name)
    present = values[~np.isnan(values)]
    found = []
    if missing > HALF * len(columns):
        text = f"{name!r} is missing in {missing / len(columns):.0%} of the rows."
        found.append(Finding("missing", text, left_out(name)))
    if len(present) and present.min() == present.max():
        found.append(Finding("constant", f"{name!r} is the same in every row that has it.", left_out(name)))
    kind = columns.kinds[columns.names.index(name)]
    if len(present) >= FEW and not missing and kind == "number" and counts_rows(values):
        found.append(Finding("id?", f"{name!r} counts the rows.", left_out(name)))
    levels = columns.levels[columns.names.index(name)]
    if len(present) >= FEW and len(levels) > HALF * len(present):
        text = f"{name!r} has {len(levels):,} different texts in {len(present):,} rows."
        found.append(Finding("id?", text, left_out(name)))
    return found


def _suggestions(table: OwnTable, columns: Columns) -> list[Finding]:
    apart = {table.target, table.group, table.time, *table.leave_out}
    found = []
    for name, kind, levels in zip(columns.names, columns.kinds, columns.levels, strict=True):
        if name in apart:
            continue
        if kind == "time" and not (table.time or table.group):
            found.append(
                Finding(
                    "suggestion",
                    f"rows have a time, {name!r}. If later ones are to be predicted, test on the latest:",
                    f"--set dataset.time={_quoted(name)}",
                )
            )
        if FEW < len(levels) <= len(columns) / 3 and not (table.time or table.group):
            found.append(
                Finding(
                    "suggestion",
                    f"{name!r} has {len(levels):,} values. If those of new rows are new ones, divide by it:",
                    f"--set dataset.group={_quoted(name)}",
                )
            )
    return found


def _quoted(name: str) -> str:
    return name if name.isidentifier() else f"'{name}'"


def suspects(table: OwnTable) -> list[Finding]:
    """Return the columns that may hold the answer, and those that are copies of another."""
    read = read_of(table)
    names = [read.columns.names[number] for number in sorted({one.column for one in read.features})]
    columns: list[tuple[str, np.ndarray]] = [(name, read.columns.of(name)) for name in names]
    classified = bool(read.target.classes)
    found = [suspicion(name, own, read.target.values, classified=classified) for name, own in columns]
    return [*(one for one in found if one), *equal_columns(columns)]

"""Each arm in numbers: what was watched in its fits, and what it suffers from, with the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from studylib import compare
from studylib.pages import tables

if TYPE_CHECKING:
    import pandas as pd
    from markupsafe import Markup

    from studylib.records import Record

TITLE = "Each arm in numbers"


@final
@dataclass(frozen=True)
class Watched:
    """What was watched in the fits of a run.

    Attributes:
        table: a row per arm.
        findings: arm, diagnosis and its evidence.
    """

    table: Markup
    findings: Sequence[tuple[str, str, str]]


def watched(record: Record) -> Watched | None:
    """Return what was watched in the fits of a record; None if that is nothing."""
    frame = compare.monitoring(record)
    if frame.shape[1] < 2:  # a diagnosis without a number
        return None
    findings = [(one.arm, one.kind, one.evidence) for one in compare.diagnoses(record)]
    return Watched(_table(frame), findings)


def _table(frame: pd.DataFrame) -> Markup:
    columns = [str(frame.index.name), *map(str, frame.columns)]
    rows = zip(map(str, frame.index), *(map(str, frame[name]) for name in frame), strict=True)
    return tables.of_rows(columns, rows, TITLE)

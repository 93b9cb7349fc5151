"""Which users are served: those who are hardly known and those who are known well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studylib.figures._fifths import Side, draw
from studylib.figures.style import styled

if TYPE_CHECKING:
    from studylib.figures.picture import Picture
    from studylib.records import Record

USERS = Side(
    "Rows",
    "interactions of the row",
    ("fewest", "most"),
    ("rows with the fewest interactions", "those with the most"),
    "recall_by_user_activity",
    "error_by_user_activity",
)


@styled
def draw_activity(record: Record, arms: Sequence[str] | None = None) -> Picture:
    """Draw the recall, or the RMSE, of the test by fifths of the rows' train interactions.

    A panel per arm, with 95 % intervals over the seeds; a row is a user, or what stands for one.
    """
    return draw(record, arms, USERS)

"""Which items are served: rare ones and popular ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studylib.figures._fifths import Side, draw
from studylib.figures.style import styled

if TYPE_CHECKING:
    from studylib.figures.picture import Picture
    from studylib.records import Record

ITEMS = Side(
    "Items",
    "popularity of the item",
    ("rarest", "most popular"),
    ("the rarest items", "the most popular"),
    "recall_by_popularity",
    "error_by_item_popularity",
)


@styled
def draw_popularity(record: Record, arms: Sequence[str] | None = None) -> Picture:
    """Draw the recall of test items, or the RMSE of test ratings, by fifths of the items' popularity.

    A panel per arm, with 95 % intervals over the seeds; popularity is the number of train interactions.
    """
    return draw(record, arms, ITEMS)

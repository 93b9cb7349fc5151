"""What was measured beside what was asked: a ratio and its bar for each row, on one axis."""

from __future__ import annotations

from itertools import accumulate, pairwise
from math import ceil, floor, log10
from typing import TYPE_CHECKING

from studylib.figures.picture import Table
from studylib.figures.style import (
    ACCENT,
    FAINT,
    INK,
    MUTED,
    SECOND,
    picture,
    plain_numbers,
    saying,
    sheet,
    styled,
)
from studylib.figures.words import short, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.speeds import Outcome, Row, Sense, Speeds

MARKS: dict[Outcome, tuple[str, str]] = {  # edge, face
    "reached": (ACCENT, ACCENT),
    "missed": (SECOND, "white"),
    "not measured": (MUTED, "white"),
}
ARROWS: dict[Sense, str] = {"at least": "▸", "at most": "◂"}
FIRST, NEXT = 0.6, 0.42  # inches of a row: of the first of a work, which is named above it, and of another
SIGNS = 64  # of a line of it


@styled
def draw_speeds(speeds: Speeds) -> Picture:
    """Draw the ratio of each row with the spread of its rounds, and the bar that it is to reach.

    Args:
        speeds: the table, whose order is kept.
    """
    rows = speeds.rows
    if not rows:
        return saying("No figure was asked for.")
    heights = [FIRST if first else NEXT for first in _firsts(rows)]
    figure = sheet(1.25 + sum(heights), "Ratio of ours to theirs, beside what was asked", _note())
    axes = figure.subplots()
    for row, place, first in zip(rows, accumulate(heights), _firsts(rows), strict=True):
        _name(axes, row, place, first=first)
        _draw(axes, row, place)
    low, high = _ends(rows)
    axes.set(xscale="log", xlim=(low, high), xlabel="ratio of ours to theirs")
    plain_numbers(axes.xaxis)
    axes.set_ylim(sum(heights) + NEXT / 2, 0)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.axvline(1, color=FAINT, linewidth=1, zorder=0)
    axes.spines["left"].set_visible(False)
    return picture(figure, f"{speeds.sentence()} {_alt(rows)}", _table(rows))


def _firsts(rows: tuple[Row, ...]) -> list[bool]:
    """Return, for each row, whether it is the first of its work."""
    works = ["", *(row.asked.work for row in rows)]
    return [work != before for before, work in pairwise(works)]


def _ends(rows: tuple[Row, ...]) -> tuple[float, float]:
    numbers = [row.asked.bar for row in rows]
    numbers += [ratio for row in rows if row.figure for ratio in row.figure.ratios]
    low, high = log10(min(numbers)), log10(max(numbers))
    return 10 ** (floor(4 * low - 0.5) / 4), 10 ** (ceil(4 * high + 0.5) / 4)


def _draw(axes: Axes, row: Row, place: float) -> None:
    edge, face = MARKS[row.outcome]
    axes.plot(row.asked.bar, place, "|", color=INK, markersize=11, markeredgewidth=2)
    aside = 2 if row.asked.sense == "at least" else -2
    axes.annotate(
        ARROWS[row.asked.sense],
        (row.asked.bar, place),
        xytext=(aside, 4),
        textcoords="offset points",
        ha="left" if aside > 0 else "right",
        va="center",
        fontsize=9,
        color=INK,
    )
    if row.figure is None:
        return
    ends = [min(row.figure.ratios), max(row.figure.ratios)]
    axes.plot(ends, [place, place], color=edge, solid_capstyle="butt")
    axes.plot(row.figure.ratio, place, "o", color=edge, markerfacecolor=face, markersize=8)


def _name(axes: Axes, row: Row, place: float, *, first: bool) -> None:
    """Write who it is against above the mark, and above the first of a work what it is."""
    work = f"{wrapped(short(row.asked.work, 2 * SIGNS), SIGNS)}\n" if first else ""
    unknown = "" if row.figure else " (not measured)"
    axes.text(
        0,
        place - 0.12,
        f"{work}against {short(row.asked.against, SIGNS - 8 - len(unknown))}{unknown}",
        transform=axes.get_yaxis_transform(),
        va="bottom",
        fontsize=9,
        color=INK if row.figure else MUTED,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    ).set_in_layout(False)


def _note() -> str:
    return (
        "Points: median over the rounds, full where it reaches the bar. Lines: least to most."
        " Strokes: the bar, ▸ at least that being asked, ◂ at most."
    )


def _alt(rows: tuple[Row, ...]) -> str:
    return f"Ratios, beside what is asked: {'; '.join(_told(row) for row in rows)}."


def _told(row: Row) -> str:
    asked = f"{row.asked.sense} {row.asked.bar:g}"
    found = f"{row.figure.ratio:.3g}" if row.figure else "not measured"
    return f"{row.asked.work} against {row.asked.against} {found}, asked {asked}"


def _table(rows: tuple[Row, ...]) -> Table:
    columns = ("work", "against", "asked", "bar", "ratio", "least", "most", "outcome")
    cells = [
        (row.asked.work, row.asked.against, row.asked.sense, row.asked.bar, *_numbers(row), row.outcome)
        for row in rows
    ]
    return Table(columns, cells)


def _numbers(row: Row) -> tuple[float | None, float | None, float | None]:
    if row.figure is None:
        return None, None, None
    return row.figure.ratio, min(row.figure.ratios), max(row.figure.ratios)

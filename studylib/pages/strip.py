"""A small drawing of intervals, one row under the other, that follows the reader's light or dark setting.

Drawn as text, without Matplotlib: the index is written at the end of every report, in the process that has
not loaded it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10
from typing import final

from markupsafe import Markup

WIDTH, NAMES, ROW, FOOT, EDGE = 340, 112, 20, 18, 10  # a card is about as many pixels wide
LONGEST = 17  # characters of a name
MARKS = {  # around (0, 0); filled where something was decided to be different
    "better": '<path class="mark better" d="M0-5 5 4H-5z"/>',
    "worse": '<path class="mark worse" d="M0 5 5-4H-5z"/>',
    "equivalent": '<path class="mark open equivalent" d="M-4-4H4V4H-4z"/>',
    "undecided": '<circle class="mark open undecided" r="4"/>',
    "before": '<circle class="mark open undecided" r="4"/>',
    "after": '<circle class="mark better" r="4"/>',
}
COLOURS = {"before": "undecided", "after": "better"}
STYLE = (
    "text{font:12px system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:#1c2430}"
    ".small{font-size:11px;fill:#566070}.band{fill:#e2e6eb}.zero{stroke:#1c2430}"
    ".bar{stroke-width:2}.mark{stroke-width:1.5}.open{fill:#fff}"
    ".better{stroke:#0b62a8}.worse{stroke:#b4520a}.equivalent{stroke:#00795c}.undecided{stroke:#5a6472}"
    ".mark.better{fill:#0b62a8}.mark.worse{fill:#b4520a}"
    "@media(prefers-color-scheme:dark){text{fill:#e5e9ee}.small{fill:#a3adb9}.band{fill:#39424e}"
    ".zero{stroke:#e5e9ee}.open{fill:#1a2027}"
    ".better{stroke:#82bdf0}.worse{stroke:#f0a36b}.equivalent{stroke:#6fceb2}.undecided{stroke:#a3adb9}"
    ".mark.better{fill:#82bdf0}.mark.worse{fill:#f0a36b}}"
)
UNDRAWABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


@final
@dataclass(frozen=True)
class Mark:
    """A point with its interval.

    Attributes:
        kind: a verdict, or ``before`` and ``after``.
        low, high: bounds; infinite where there are none, and then none are drawn.
    """

    kind: str
    point: float
    low: float
    high: float


@final
@dataclass(frozen=True)
class Row:
    """A line of the drawing: a name, and one mark or two."""

    name: str
    marks: tuple[Mark, ...]


def row(name: str, *marks: tuple[str, float, float, float]) -> Row:
    """Return a row of marks, each (kind, point, low, high)."""
    return Row(name, tuple(Mark(*mark) for mark in marks))


def strip(rows: Sequence[Row], *, band: float = 0.0) -> str:
    """Return the drawing as one ``<svg>`` element: the same numbers, the same text.

    Args:
        rows: from top to bottom; a mark without a number is left out, its row stays.
        band: half the width of the band around zero; 0 draws neither the band nor a line at zero.
    """
    low, high = _ends(rows, band)
    bottom = sum(map(_height, rows))
    height = bottom + FOOT
    size = f'width="{WIDTH * 0.75:g}pt" height="{height * 0.75:g}pt" viewBox="0 0 {WIDTH} {height}"'
    drawn = [*_ground(band, low, high, bottom)]
    top = 0
    for one in rows:
        drawn.append(_line(one, top, low, high))
        top += _height(one)
    body = Markup("").join([*drawn, *_numbers(band, low, high, bottom)])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{STYLE}</style>{body}</svg>'


def told(one: Row) -> str:
    """Return a row in words: ``mixup +2.3 (1.2 to 3.0)``."""
    marks = [f"{mark.kind} " * (len(one.marks) > 1) + _said(mark) for mark in one.marks]
    return f"{short(one.name, 40)} {', '.join(marks)}"


def short(name: str, longest: int = LONGEST) -> str:
    """Return a name as the drawing has it: cut off, without characters that no drawing may hold."""
    shown = UNDRAWABLE.sub("\N{REPLACEMENT CHARACTER}", name[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[: longest - 1].rstrip()}…"


def _said(mark: Mark) -> str:
    if not isfinite(mark.point):
        return "not known"
    point, *ends = (f"{value:.3g}".replace("-", "−") for value in (mark.point, mark.low, mark.high))
    return f"{point} ({' to '.join(ends)})" if isfinite(mark.low) and isfinite(mark.high) else point


def _height(one: Row) -> int:
    return ROW if len(one.marks) < 2 else ROW + 8


def _ends(rows: Sequence[Row], band: float) -> tuple[float, float]:
    """Return the ends of the axis: the least and the greatest number that is drawn."""
    marks = [mark for one in rows for mark in one.marks]
    ends = [end for mark in marks for end in (mark.point, mark.low, mark.high) if isfinite(end)]
    ends += [-band, band] if band else []
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    return (low, high) if high > low else (low - 1, high + 1)


def _at(value: float, low: float, high: float) -> str:
    left, right = NAMES + EDGE, WIDTH - EDGE
    return f"{left + (value - low) / (high - low) * (right - left):.1f}"


def _ground(band: float, low: float, high: float, bottom: int) -> list[Markup]:
    if not band:
        return []
    left, right, zero = (_at(value, low, high) for value in (-band, band, 0.0))
    width = f"{float(right) - float(left):.1f}"
    return [
        Markup('<path class="band" d="M{} 0h{}v{}h-{}z"/>').format(left, width, bottom, width),
        Markup('<path class="zero" d="M{} 0v{}"/>').format(zero, bottom),
    ]


def _line(one: Row, top: int, low: float, high: float) -> Markup:
    middle = top + _height(one) // 2
    drawn = [Markup('<text y="{}">{}</text>').format(middle + 4, short(one.name))]
    for order, mark in enumerate(one.marks):
        y = middle + (5 * (2 * order - 1) if len(one.marks) > 1 else 0)
        kind = mark.kind if mark.kind in MARKS else "undecided"
        if isfinite(mark.low) and isfinite(mark.high):
            left, right = (_at(end, low, high) for end in (mark.low, mark.high))
            bar = Markup('<path class="bar {}" d="M{} {}H{}"/>')
            drawn.append(bar.format(COLOURS.get(kind, kind), left, y, right))
        if isfinite(mark.point):
            place = Markup('<g transform="translate({} {})">').format(_at(mark.point, low, high), y)
            drawn.append(place + Markup(MARKS[kind]) + Markup("</g>"))  # noqa: S704  # ours, above
    return Markup("").join(drawn)


def _numbers(band: float, low: float, high: float, bottom: int) -> list[Markup]:
    """Return the numbers below: at the ends, and at zero where that leaves them room."""
    digits = min(9, max(0, 1 - floor(log10(high - low))))
    places = {low: "start", high: "end"}
    if band and 0.25 < -low / (high - low) < 0.75:
        places[0.0] = "middle"
    text = Markup('<text class="small" x="{}" y="{}" text-anchor="{}">{}</text>')
    return [
        text.format(_at(value, low, high), bottom + 13, anchor, _number(value, digits))
        for value, anchor in places.items()
    ]


def _number(value: float, digits: int) -> str:
    return f"{value:z.{digits}f}".replace("-", "−")

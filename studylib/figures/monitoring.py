"""The loss on train, validation and test rows of each arm, the gap between them, and what it suffers from."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING

from studylib.compare import diagnoses
from studylib.compare.monitoring import watched
from studylib.figures.intervals import reach
from studylib.figures.picture import Table
from studylib.figures.style import (
    ACCENT,
    FAINT,
    GREEN,
    INK,
    MUTED,
    SECOND,
    SERIES,
    picture,
    saying,
    sheet,
    styled,
)
from studylib.figures.words import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.compare.diagnosis import Diagnosis, Kind
    from studylib.figures.picture import Picture
    from studylib.records import Record
    from studylib.statistics import Interval

    Found = dict[str, Interval | None]

PARTS = {"train": ("o", MUTED, "white"), "validation": ("o", ACCENT, ACCENT), "test": ("x", INK, INK)}
COLOURS: dict[Kind, str] = {
    "overfitting": SECOND,
    "underfitting": SERIES[3],
    "about right": GREEN,
    "cannot tell": MUTED,
}
NOTE = (
    "Hollow: train. Filled: validation, with the 95\N{NO-BREAK SPACE}% interval of its mean over seeds."
    " Cross: test. The line between is the gap."
)


@styled
def draw_monitoring(record: Record) -> Picture:
    """Draw the mean losses without penalty of each arm, lowest validation loss first, and its diagnosis."""
    found = _losses(record)
    told = {one.arm: one for one in diagnoses(record)}
    rows = sorted((arm for arm in found if found[arm]["validation"]), key=lambda arm: _height(found[arm]))
    if not rows:
        return saying(
            "No losses to hold side by side: no training came to its end, or they were not measured."
        )
    title = _title([told[arm].kind for arm in record.arms])
    figure = sheet(1.75 + 0.32 * len(rows), title, NOTE)
    axes = figure.subplots()
    for place, arm in enumerate(rows):
        _draw_row(axes, place, found[arm], told[arm].kind)
    axes.set_yticks(range(len(rows)), [f"{short(arm, 18)} " for arm in rows], color=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    label = watched(record)[0].column.removeprefix("train ")
    axes.set_xlabel(f"← better\N{EM SPACE}{label}")
    axes.set_xlim(left=0)  # and no logarithm: the length of a line is the gap
    said = " ".join(f"{arm}: {_said(found[arm])}; {told[arm].sentence}." for arm in rows)
    return picture(figure, f"{title}. {said}", _table(rows, found, told, label))


def _losses(record: Record) -> dict[str, Found]:
    numbers = {one.name: one for one in watched(record)}
    return {
        arm: {part: numbers[f"{part} loss"].mean(record.finished(arm)) for part in PARTS}
        for arm in record.arms
    }


def _height(found: Found) -> float:
    one = found["validation"]
    return one.mean if one else inf


def _draw_row(axes: Axes, place: int, found: Found, kind: Kind) -> None:
    ends = [one.mean for part in ("train", "validation") if (one := found[part])]
    axes.plot(ends, [place] * len(ends), color=FAINT, linewidth=3, zorder=1, solid_capstyle="butt")
    for part, (marker, edge, face) in PARTS.items():
        if one := found[part]:
            bar = reach(one) if part == "validation" else 0.0
            axes.errorbar(
                one.mean,
                place,
                xerr=bar or None,
                fmt=marker,
                color=edge,
                markerfacecolor=face,
                markersize=6,
                elinewidth=1.4,
                clip_on=False,  # a loss near 0 is a whole mark too
                capsize=3 if bar else 0,
            )
    edge_of_row = (1, place)
    axes.annotate(
        kind,
        edge_of_row,
        xytext=(6, 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        va="center",
        color=COLOURS[kind],
        fontsize=9.5,
    )


def _title(kinds: list[Kind]) -> str:
    """Return how many arms suffer from what: ``Of 11 arms 2 overfit, 4 underfit, 1 is about right``."""
    words: dict[Kind, tuple[str, str]] = {
        "overfitting": ("overfits", "overfit"),
        "underfitting": ("underfits", "underfit"),
        "about right": ("is about right", "are about right"),
        "cannot tell": ("is open", "are open"),
    }
    counts = {kind: kinds.count(kind) for kind in words if kind in kinds}
    parts = [f"{count} {words[kind][count > 1]}" for kind, count in counts.items()]
    return f"Of {len(kinds)} arms {', '.join(parts)}"


def _said(found: Found) -> str:
    return ", ".join(f"{part} loss {one.mean:.3g}" for part, one in found.items() if one)


def _table(rows: list[str], found: dict[str, Found], told: dict[str, Diagnosis], label: str) -> Table:
    columns = ("arm", "rows", label, "low", "high", "diagnosis", "evidence")
    cells = [
        (arm, part, one.mean, *(bound if isfinite(bound) else None for bound in (one.low, one.high)))
        for arm in rows
        for part, one in found[arm].items()
        if one
    ]
    return Table(columns, [(*row, told[str(row[0])].kind, told[str(row[0])].evidence) for row in cells])

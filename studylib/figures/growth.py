"""Seconds of a study by the number of its fits, beside the straight line that they ought to stay on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.figures.picture import Table
from studylib.figures.style import SERIES, picture, plain_numbers, saying, sheet, styled

if TYPE_CHECKING:
    from studylib.figures.picture import Picture
    from studylib.speeds import Figure, Speeds

DASHES = ("-", "--")
MARKERS = ("o", "s")
ROOM = 1.3  # left and right of the numbers of fits


@styled
def draw_growth(speeds: Speeds) -> Picture:
    """Draw what so many fits took, and the line through it, for each row that was measured by their number.

    Args:
        speeds: the table; rows without points are left out.
    """
    grown = speeds.grown()
    if not grown:
        return saying("Cost by the number of fits: not measured.")
    figure = sheet(3.7, "Seconds by the number of fits", _note())
    axes = figure.subplots()
    for place, one in enumerate(grown):
        fits = [point.fits for point in one.points]
        colour = SERIES[place % len(SERIES)]
        ends = [[abs(end(p.seconds) - p.typical) for p in one.points] for end in (min, max)]
        axes.errorbar(
            fits,
            [point.typical for point in one.points],
            ends,
            color=colour,
            linestyle="",
            marker=MARKERS[place % len(MARKERS)],
            capsize=3,
            label=one.work,
        )
        line = one.line()
        axes.plot(fits, [line.at(n) for n in fits], DASHES[place % len(DASHES)], color=colour, linewidth=1.2)
    numbers = sorted({point.fits for one in grown for point in one.points})
    axes.set(xscale="log", yscale="log", xlabel="fits", ylabel="seconds")
    axes.set_xlim(numbers[0] / ROOM, numbers[-1] * ROOM)
    plain_numbers(axes.yaxis)
    plain_numbers(axes.xaxis)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0, fontsize=9)
    return picture(figure, _alt(grown), _table(grown))


def _note() -> str:
    return "Points: median over the rounds. Bars: least to most. Lines: a start, and as much for each fit."


def _alt(grown: tuple[Figure, ...]) -> str:
    told = [
        f"{one.work}: {', '.join(f'{p.typical:.3g} s for {p.fits}' for p in one.points)}; {one.line().told()}"
        for one in grown
    ]
    return f"Seconds by the number of fits. {'. '.join(told)}."


def _table(grown: tuple[Figure, ...]) -> Table:
    rows = [
        (one.work, p.fits, p.typical, min(p.seconds), max(p.seconds), one.line().at(p.fits))
        for one in grown
        for p in one.points
    ]
    return Table(("work", "fits", "seconds", "least", "most", "straight line"), rows)

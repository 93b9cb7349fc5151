"""A metric against the number of train rows: a line for each arm."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from studylib.figures.intervals import reach
from studylib.figures.picture import Cell, Table
from studylib.figures.style import INK, SERIES, picture, plain_numbers, sheet, styled
from studylib.figures.words import Quantity, quantity, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.compare.sizes import Growth
    from studylib.figures.picture import Picture

LINES = 5  # beside the baseline
ASIDE = 0.018  # of a size, by which neighbours are moved, so that their intervals do not cover each other


@styled
def draw_sizes(growth: Growth) -> Picture:
    """Draw mean and 95 % interval of each arm over the seeds against the number of train rows.

    Args:
        growth: runs that differ in the number of train rows; of many arms those are drawn that differ most
            from the baseline at the fewest rows.
    """
    unit = quantity(growth.records[0], growth.metric)
    drawn = [growth.arms[0], *_farthest(growth)]
    hidden = len(growth.arms) - len(drawn)
    figure = sheet(4.0, f"{unit.name[:1].upper()}{unit.name[1:]} by the number of train rows", _note(hidden))
    axes = figure.subplots()
    for place, arm in enumerate(drawn):
        _draw_line(axes, growth, arm, unit, 1 + ASIDE * (place - (len(drawn) - 1) / 2), place)
    axes.set(xscale="log", xlabel="train rows", ylabel=unit.label)
    plain_numbers(axes.xaxis)
    axes.set_xticks(growth.rows, [f"{rows:,}".replace(",", " ") for rows in growth.rows])
    axes.minorticks_off()
    axes.legend(loc="best", fontsize=9)
    return picture(figure, _alt(growth, drawn, unit), _table(growth, unit))


def _farthest(growth: Growth) -> list[str]:
    sizes = {arm: abs(growth.contrasts(arm)[0].difference) for arm in growth.arms[1:]}
    known = [arm for arm, size in sizes.items() if isfinite(size)]
    kept = sorted(known, key=lambda arm: -sizes[arm])[:LINES]
    return [arm for arm in growth.arms if arm in kept]


def _draw_line(axes: Axes, growth: Growth, arm: str, unit: Quantity, aside: float, place: int) -> None:
    found = [(rows, one) for rows, one in zip(growth.rows, growth.means(arm), strict=True) if one]
    axes.errorbar(
        [rows * aside for rows, _ in found],
        [one.mean * unit.scale for _, one in found],
        [reach(one) * unit.scale for _, one in found],
        color=SERIES[place - 1] if place else INK,
        linestyle="-" if place else "--",
        marker="o" if place else "s",
        markersize=5,
        capsize=3,
        label=f"{short(arm)}{'' if place else ', the baseline'}",
    )


def _note(hidden: int) -> str:
    note = "Points: mean over seeds. Bars: 95\N{NO-BREAK SPACE}% intervals of the mean."
    return f"{note} {hidden} more {'arm is' if hidden == 1 else 'arms are'} in the table." if hidden else note


def _alt(growth: Growth, drawn: list[str], unit: Quantity) -> str:
    told = []
    for arm in drawn:
        pairs = zip(growth.rows, growth.means(arm), strict=True)
        told.append(
            f"{arm} {', '.join(f'{one.mean * unit.scale:.4g} at {rows}' for rows, one in pairs if one)}"
        )
    return f"{unit.label} by the number of train rows: {'; '.join(told)}."


def _table(growth: Growth, unit: Quantity) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (arm, size, *(unit.scale * part for part in (one.mean, one.low, one.high)))
        for arm in growth.arms
        for size, one in zip(growth.rows, growth.means(arm), strict=True)
        if one
    ]
    return Table(("arm", "train rows", unit.label, "low", "high"), rows)

"""How much better the score that chose looks than what test rows say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.compare.losses import unit_of_loss
from studylib.compare.tuning import Tuned, tuned
from studylib.figures.intervals import reach
from studylib.figures.picture import Cell, Table
from studylib.figures.style import ACCENT, INK, MUTED, picture, saying, sheet, styled
from studylib.figures.words import short

if TYPE_CHECKING:
    from studylib.figures.picture import Picture
    from studylib.records import Record
    from studylib.statistics import Interval


@styled
def draw_optimism(record: Record) -> Picture:
    """Draw, by arm, test loss less the score that chose, with 95 % intervals over the seeds."""
    found = [(one, one.optimism) for one in tuned(record) if one.optimism]
    if not found:
        return saying("No optimism to show: no arm was tuned, or no training came to its end.")
    title, unit = title_of(found), unit_of(record)
    note = (
        "Dots: of tuned arms. Circles: of arms that were not tuned, by their validation rows. Bars:"
        " 95\N{NO-BREAK SPACE}% intervals of the mean over seeds. Right of the line, test rows say worse."
    )
    figure = sheet(1.6 + 0.34 * len(found), title, note)
    axes = figure.subplots()
    axes.axvline(0, color=INK, linewidth=1)
    for height, (one, gap) in enumerate(found):
        colour, face = (ACCENT, ACCENT) if one.settings else (MUTED, "white")
        axes.errorbar(
            [gap.mean],
            [height],
            xerr=[reach(gap)],
            fmt="o",
            color=colour,
            markerfacecolor=face,
            markersize=6,
            capsize=3,
        )
    axes.set_yticks(range(len(found)), [short(one.arm) for one, _ in found], color=INK)
    axes.set(ylim=(len(found) - 0.4, -0.6), xlabel=f"test − chosen ({unit})" if unit else "test − chosen")
    told = " ".join(f"{one.arm}: {gap.mean:.3g} ({gap.low:.3g} to {gap.high:.3g})." for one, gap in found)
    rows: list[tuple[Cell, ...]] = [
        (one.arm, "tuned" if one.settings else "not tuned", one.trials, gap.mean, gap.low, gap.high)
        for one, gap in found
    ]
    columns = ("arm", "tuning", "trials", f"test − chosen {unit}".strip(), "low", "high")
    return picture(figure, f"{title}. {told}", Table(columns, rows))


def title_of(found: list[tuple[Tuned, Interval]]) -> str:
    """Return of how many tuned arms the score that chose was too good beyond doubt."""
    own = [(one, gap) for one, gap in found if one.settings]
    sure = sum(gap.low > 0 for _, gap in own)
    return f"The score that chose was too good, beyond doubt, in {sure} of {len(own)} tuned arms"


def unit_of(record: Record) -> str:
    """Return the unit of what settings are chosen by; nothing for a ranking."""
    return "" if record.dataset.get("task") == "ranking" else unit_of_loss(record)

"""Where, between the ends of what was open, each setting was chosen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from studylib.compare.tuning import tuned
from studylib.figures.picture import Cell, Table
from studylib.figures.style import ACCENT, FAINT, INK, SECOND, picture, saying, sheet, styled
from studylib.figures.words import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.compare.tuning import Opened
    from studylib.figures.picture import Picture
    from studylib.records import Record

NOTE = (
    "A dot per choice, larger where more seeds chose it, from the low end of what could be chosen, left, to"
    " the high end. Triangles, at an end: a better value may lie beyond."
)
ROWS = 24  # that are drawn; the table has all


@styled
def draw_chosen(record: Record) -> Picture:
    """Draw what was chosen in each seed, a row for each setting that an arm left open."""
    rows = [(one.arm, opened) for one in tuned(record) for opened in one.settings if opened.chosen]
    if not rows:
        return saying("No setting was chosen: none was left open, or no training came to its end.")
    drawn = rows[:ROWS]
    title = title_of(rows)
    figure = sheet(1.6 + 0.36 * len(drawn), title, NOTE)
    axes = figure.subplots()
    for height, (_, opened) in enumerate(drawn):
        _draw(axes, height, opened)
    names = [f"{short(arm, 16)}: {short(opened.name.rpartition('.')[2], 14)}" for arm, opened in drawn]
    axes.set_yticks(range(len(drawn)), names, color=INK)
    axes.set_xticks([0, 0.5, 1], ["low end", "middle", "high end"])
    axes.set(xlim=(-0.08, 1.08), ylim=(len(drawn) - 0.4, -0.6))
    return picture(figure, f"{title}. {' '.join(_told(arm, one) for arm, one in rows)}", _table(rows))


def title_of(rows: list[tuple[str, Opened]]) -> str:
    """Return how many settings were mostly chosen at an end of their range."""
    ordered = [(arm, one) for arm, one in rows if one.low < one.high]
    ends = [(arm, one) for arm, one in ordered if max(one.ends) * 2 > len(one.chosen)]
    if not ends:
        return "No setting was chosen at an end of its range in most seeds"
    arms = dict.fromkeys(short(arm, 16) for arm, _ in ends)
    more = f" and {len(arms) - 3} more" if len(arms) > 3 else ""
    return f"At an end of the range in most seeds: {', '.join([*arms][:3])}{more}"


def _draw(axes: Axes, height: int, opened: Opened) -> None:
    axes.plot([0, 1], [height, height], color=FAINT, linewidth=1)
    counts = Counter(round(opened.place(value), 3) for value in opened.chosen.values())
    for place, count in counts.items():
        end = opened.low < opened.high and (place <= 0.02 or place >= 0.98)
        marker = ("<" if place < 0.5 else ">") if end else "o"
        colour, size = SECOND if end else ACCENT, 22 + 110 * count / len(opened.chosen)
        axes.scatter([place], [height], s=size, marker=marker, color=colour, alpha=0.75, linewidths=0)


def _told(arm: str, opened: Opened) -> str:
    low, high = opened.ends
    ends = [f"{count} at the {end} end" for count, end in ((low, "low"), (high, "high")) if count]
    values = [value for value in opened.chosen.values() if isinstance(value, int | float)]
    middle = f"median {sorted(values)[len(values) // 2]:.3g}" if values else f"of {opened.words}"
    said = ", ".join([middle, *ends])
    return f"{arm}, {opened.name}: {said}, of {len(opened.chosen)} seeds."


def _table(rows: list[tuple[str, Opened]]) -> Table:
    cells: list[tuple[Cell, ...]] = [
        (arm, one.name, seed, value if isinstance(value, int | float | str) else str(value), one.words)
        for arm, one in rows
        for seed, value in one.chosen.items()
    ]
    return Table(("arm", "setting", "seed", "chosen", "could be"), cells)

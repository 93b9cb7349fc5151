"""Whether an arm finds the same columns again, beside how many it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studylib.compare.stability import Stability, stabilities
from studylib.figures.intervals import reach
from studylib.figures.picture import Cell, Table
from studylib.figures.style import ACCENT, INK, MUTED, picture, saying, sheet, styled
from studylib.figures.words import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.records import Record
    from studylib.statistics import Interval

NOTE = (
    "Stability is 1 if every seed keeps the same columns, and 0 on average if columns are drawn by lot. Bars:"
    " 95\N{NO-BREAK SPACE}% intervals."
)
PROBED = " Probes know nothing: what is kept of them was found by chance."


@styled
def draw_stability(record: Record, names: Sequence[str] | None = None) -> Picture:
    """Draw, by arm, the stability of what it keeps and the share of probes in it, with 95 % intervals.

    Args:
        record: with the curve ``coefficients``.
        names: of the columns; those of probes begin with "probe of".
    """
    found = stabilities(record, names)
    shown = [one for one in found if one.index]
    if not shown:
        return saying(
            "No stability to show: no arm keeps some columns and drops others in at least two seeds."
        )
    probed = any(one.false for one in found)
    title = _title(shown)
    figure = sheet(1.75 + 0.34 * len(found), title, NOTE + PROBED * probed)
    panels = figure.subplots(1, 2, sharey=True, squeeze=False)[0] if probed else [figure.subplots()]
    heights = {one.arm: height for height, one in enumerate(found)}
    for height, one in enumerate(found):
        _mark(panels[0], height, one.index)
        if probed:
            _mark(panels[1], height, one.false)
    panels[0].set_yticks(list(heights.values()), [short(arm) for arm in heights], color=INK)
    panels[0].set(ylim=(len(found) - 0.4, -0.6), xlabel="stability of what is kept", xlim=(-0.05, 1.05))
    if probed:
        panels[1].set(xlabel="share of probes in it", xlim=(-0.05, 1.05))
    told = " ".join(_told(one) for one in found)
    return picture(figure, f"{title}. {told}", _table(found))


def _mark(axes: Axes, height: int, one: Interval | None) -> None:
    if one is None:
        axes.text(0.5, height, "none", ha="center", va="center", color=MUTED, fontsize=8.5)
        return
    axes.errorbar([one.mean], [height], xerr=[reach(one)], fmt="o", color=ACCENT, markersize=6, capsize=3)


def _title(shown: list[Stability]) -> str:
    index = {one.arm: one.index.mean for one in shown if one.index}
    best, worst = max(index, key=index.__getitem__), min(index, key=index.__getitem__)
    if best == worst:
        return f"Stability of what {short(best)} keeps: {index[best]:.2f}"
    return f"Most stable: {short(best)} ({index[best]:.2f}); least: {short(worst)} ({index[worst]:.2f})"


def _told(one: Stability) -> str:
    kept = f"{one.arm} keeps {one.kept.mean:.1f} of {one.columns} columns"
    if one.index is None:
        return f"{kept}: no stability."
    index = f"stability {one.index.mean:.2f} ({one.index.low:.2f} to {one.index.high:.2f})"
    return f"{kept}, {index}" + (f", {one.false.mean:.0%} of them probes." if one.false else ".")


def _table(found: list[Stability]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        index = (one.index.mean, one.index.low, one.index.high) if one.index else (None, None, None)
        false = one.false.mean if one.false else None
        rows.append((one.arm, one.kept.mean, one.always, *index, one.overlap, false))
    columns = (
        "arm",
        "columns kept",
        "in every seed",
        "stability",
        "low",
        "high",
        "Jaccard",
        "share of probes",
    )
    return Table(columns, rows)

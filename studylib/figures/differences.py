"""Each arm against the baseline: the mean difference, its interval, and what follows from it."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from studylib.compare import contrasts
from studylib.figures.picture import Table
from studylib.figures.style import ACCENT, GREEN, GRID, INK, MUTED, SECOND, picture, saying, sheet, styled
from studylib.figures.words import Quantity, counted, percent, quantity, short
from studylib.metrics.metric import counted as with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.records import Contrast, Record, Verdict

WIDE_SPACE = "\N{EM SPACE}"
MARKS: dict[Verdict, tuple[str, str, str]] = {  # marker, edge, face
    "better": ("^", ACCENT, ACCENT),
    "worse": ("v", SECOND, SECOND),
    "equivalent": ("s", GREEN, "white"),
    "undecided": ("o", MUTED, "white"),
}


@styled
def draw_differences(record: Record, metric: str | None = None) -> Picture:
    """Draw mean difference and interval of each arm to the baseline, best first.

    Args:
        record: its contrasts are drawn where it has them, else drawn from its fits.
        metric: key; None is the one that decides the study, and only there does the smallest effect stand.

    Raises:
        ParameterError: no finished fit has that metric.
    """
    key = metric or str(record.params["metric"])
    rows, unit = drawn_contrasts(record, key), quantity(record, key)
    if not rows:
        return saying(f"No arm can be held against {short(record.baseline)} on {unit.name}.")
    margin = float(record.params["smallest_effect"]) * unit.scale if key == record.params["metric"] else 0.0
    verdicts = sorted((row.verdict for row in rows), key=list(MARKS).index)
    title = f"{unit.name[:1].upper()}{unit.name[1:]} against {short(record.baseline)}: {counted(verdicts)}"
    figure = sheet(1.55 + 0.32 * len(rows), title, _note(rows[0].level, margin, unit))
    axes = figure.subplots()
    if margin:
        axes.axvspan(-margin, margin, color=GRID, zorder=0, linewidth=0)
    axes.axvline(0, color=INK, linewidth=1)
    _draw_rows(axes, rows, unit.scale)
    axes.set_xlabel(_label(unit))
    return picture(figure, _alt(title, rows, unit), _table(rows, unit))


def drawn_contrasts(record: Record, metric: str) -> list[Contrast]:
    """Return what is drawn, from top to bottom: the contrasts on ``metric`` that have a difference."""
    found = [c for c in record.contrasts if c.metric == metric] or contrasts(record, metric)
    sign = 1 if quantity(record, metric).higher_is_better is False else -1
    return sorted((c for c in found if isfinite(c.difference)), key=lambda c: sign * c.difference)


def _draw_rows(axes: Axes, rows: list[Contrast], scale: float) -> None:
    for place, row in enumerate(rows):
        marker, edge, face = MARKS[row.verdict]
        if isfinite(row.low) and isfinite(row.high):
            axes.plot([row.low * scale, row.high * scale], [place, place], color=edge, solid_capstyle="butt")
        point = axes.plot(
            row.difference * scale, place, marker, color=edge, markerfacecolor=face, markersize=8
        )
        point[0].set_gid(f"difference-{place}")
        _name_beside(axes, row.verdict, place, edge)
    axes.set_yticks(range(len(rows)), [f"{short(row.arm)} " for row in rows], color=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _name_beside(axes: Axes, word: str, place: int, colour: str) -> None:
    right_edge = (1, place)
    axes.annotate(
        word,
        right_edge,
        xytext=(6, 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        va="center",
        color=colour,
        fontsize=9.5,
    )


def _label(unit: Quantity) -> str:
    label = f"difference in {unit.name}" + (f" ({unit.unit})" if unit.unit else "")
    if unit.higher_is_better is None:
        return label
    return f"{label}{WIDE_SPACE}better →" if unit.higher_is_better else f"← better{WIDE_SPACE}{label}"


def _note(level: float, margin: float, unit: Quantity) -> str:
    note = f"Bars: {percent(level, 0)} intervals of the mean over paired seeds."
    if not margin:
        return note
    size = with_unit(f"{margin:g}", unit.unit)
    return f"{note} Grey band: up to {size} either way, too small to matter."


def _alt(title: str, rows: list[Contrast], unit: Quantity) -> str:
    measure = f", in {unit.unit}" if unit.unit else ""
    told = [
        f"{row.arm} {_signed(row.difference * unit.scale)}"
        f" ({_signed(row.low * unit.scale)} to {_signed(row.high * unit.scale)}), {row.verdict}"
        for row in rows
    ]
    return f"{title}. Mean differences with their intervals{measure}: {'; '.join(told)}."


def _table(rows: list[Contrast], unit: Quantity) -> Table:
    measure = f" ({unit.unit})" if unit.unit else ""
    columns = ("arm", f"difference in {unit.name}{measure}", "low", "high", "p (Holm)", "verdict", "pairs")
    numbers = [[unit.scale * value for value in (one.difference, one.low, one.high)] for one in rows]
    told = [(one.p_holm, one.verdict, one.pairs) for one in rows]
    return Table(columns, [(one.arm, *n, *t) for one, n, t in zip(rows, numbers, told, strict=True)])


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")

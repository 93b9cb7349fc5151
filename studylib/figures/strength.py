"""Too weak, right, too strong: a metric against the strength of one regularizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studylib.figures.intervals import interval, reach
from studylib.figures.picture import Cell, Table
from studylib.figures.style import ACCENT, FAINT, MUTED, picture, plain_numbers, saying, sheet, styled
from studylib.figures.words import Quantity, quantity, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.records import Record
    from studylib.statistics import Interval

Points = list[tuple[str, float, "Interval"]]  # arm, strength, mean over its seeds


@styled
def draw_strength(record: Record, metric: str, strengths: Mapping[str, float]) -> Picture:
    """Draw mean and 95 % interval of ``metric`` over the seeds against λ, with the baseline as a band.

    Args:
        record: with a fit per arm and seed.
        metric: key, such as ``test_accuracy``.
        strengths: λ of each arm, positive; the baseline has none.
    """
    unit = quantity(record, metric)
    points = measured(record, metric, strengths)
    if not points:
        return saying(f"No arm with a strength has a finished fit to show {unit.name} of.")
    title = _title(points, unit)
    figure = sheet(3.3, title, _note(strengths, points))
    axes = figure.subplots()
    base = interval(record, record.baseline, metric)
    if base:
        _draw_baseline(axes, base, short(record.baseline), unit.scale)
    means = [one.mean * unit.scale for *_, one in points]
    reaches = [reach(one) * unit.scale for *_, one in points]
    axes.errorbar(
        [strength for _, strength, _ in points],
        means,
        reaches,
        color=ACCENT,
        marker="o",
        markersize=6,
        capsize=3,
    )
    axes.set(xscale="log", xlabel="strength λ", ylabel=unit.label)
    plain_numbers(axes.xaxis)
    return picture(
        figure, _alt(title, points, unit, record.baseline, base), _table(record, points, base, unit)
    )


def measured(record: Record, metric: str, strengths: Mapping[str, float]) -> Points:
    """Return what is drawn, by growing strength; arms without a finished fit are left out."""
    ordered = sorted(strengths.items(), key=lambda pair: pair[1])
    found = [(arm, strength, interval(record, arm, metric)) for arm, strength in ordered if strength > 0]
    return [(arm, strength, one) for arm, strength, one in found if one]


def _draw_baseline(axes: Axes, base: Interval, name: str, scale: float) -> None:
    half = reach(base)
    axes.axhspan((base.mean - half) * scale, (base.mean + half) * scale, color=FAINT, alpha=0.3, linewidth=0)
    axes.axhline(base.mean * scale, color=MUTED, linewidth=1.2, label=f"{name}, without it")
    axes.legend(loc="best")


def _title(points: Points, unit: Quantity) -> str:
    pick, word = (min, "Lowest") if unit.higher_is_better is False else (max, "Highest")
    _, best, one = pick(points, key=lambda point: point[2].mean)
    return f"{word} mean {unit.name} at λ = {best:g}: {one.mean * unit.scale:.4g}"


def _table(record: Record, points: Points, base: Interval | None, unit: Quantity) -> Table:
    drawn = [*([(record.baseline, 0.0, base)] if base else []), *points]
    rows: list[tuple[Cell, ...]] = [
        (arm, λ, *(unit.scale * part for part in (one.mean, one.low, one.high))) for arm, λ, one in drawn
    ]
    return Table(("arm", "strength λ", unit.label, "low", "high"), rows)


def _note(strengths: Mapping[str, float], points: Points) -> str:
    note = "Points: mean over seeds. Bars and band: 95\N{NO-BREAK SPACE}% intervals of the mean."
    drawn = {arm for arm, *_ in points}
    lost = [short(arm) for arm in strengths if arm not in drawn]
    return f"{note} Without a finished fit: {', '.join(lost)}." if lost else note


def _alt(title: str, points: Points, unit: Quantity, baseline: str, base: Interval | None) -> str:
    told = "; ".join(f"λ = {λ:g}: {one.mean * unit.scale:.4g}" for _, λ, one in points)
    held = f" {baseline}: {base.mean * unit.scale:.4g}." if base else ""
    return f"{title}. {unit.label}: {told}.{held}"

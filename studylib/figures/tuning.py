"""The score over what was tried: where it is lowest, how flat it is there, and what test rows say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, final

from studylib.compare.tuning import tuned
from studylib.figures.optimism import unit_of
from studylib.figures.picture import Cell, Table
from studylib.figures.style import (
    ACCENT,
    FAINT,
    MUTED,
    label_edges,
    picture,
    plain_numbers,
    saying,
    sheet,
    styled,
)
from studylib.figures.words import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.compare.tuning import Opened
    from studylib.figures.picture import Picture
    from studylib.records import Record

PANELS = 12  # that are drawn; the table has all
SHARED = 1.5  # seeds to a value, from which on there is a mean worth a line


@final
@dataclass(frozen=True)
class Curve:
    """What trials of one arm say of one setting.

    Attributes:
        values: that were tried, smallest first.
        score: by seed, the best score at each of the ``values``; None where there is none.
        test: the same trials on test rows.
    """

    arm: str
    opened: Opened
    values: Sequence[float]
    score: Sequence[Sequence[float | None]]
    test: Sequence[Sequence[float | None]]

    @property
    def drawn(self) -> bool:
        """Whether values were drawn, so that seeds share hardly any."""
        tried = sum(one is not None for seed in self.score for one in seed)
        return len(self.score) > 1 and tried < SHARED * len(self.values)


@styled
def draw_tuning(record: Record) -> Picture:
    """Draw the score over each number that was open, mean and spread over seeds, a panel for each.

    Where several settings were open, it is the best over the others; where each seed drew its own values,
    there is a dot for each.
    """
    found = curves(record)
    if not found:
        return saying("No curve over a strength: no number was left open, or no training came to its end.")
    shown = found[:PANELS]
    title = title_of(found)
    figure = sheet(1.25 + 1.75 * -(-len(shown) // 2), title, _note(found))
    axes = _panels(figure, shown)
    for panel, one in zip(axes, shown, strict=True):
        _draw(panel, one)
    unit = unit_of(record)
    what = "−NDCG at 20" if record.dataset.get("task") == "ranking" else f"loss ({unit})" if unit else "loss"
    label_edges(axes, "value tried", what)
    return picture(figure, f"{title}. {' '.join(map(_told, found))}", _table(found))


def curves(record: Record) -> list[Curve]:
    """Return what trials say of each number that was open, in the order of the arms."""
    return [
        curve
        for one in tuned(record)
        for opened in one.settings
        if opened.low < opened.high and (curve := _curve(record, one.arm, opened))
    ]


def _curve(record: Record, arm: str, opened: Opened) -> Curve | None:
    fits = [fit for fit in record.fits if fit.arm == arm and fit.trials]
    best: list[dict[float, Any]] = []
    for fit in fits:
        own: dict[float, Any] = {}
        for one in fit.trials:
            value = one.settings[opened.name]
            if one.score is not None and (value not in own or one.score < own[value].score):
                own[value] = one
        best.append(own)
    values = sorted({value for own in best for value in own})
    if not values:
        return None
    score = [[own[v].score if v in own else None for v in values] for own in best]
    test = [[own[v].test if v in own else None for v in values] for own in best]
    return Curve(arm, opened, values, score, test)


def title_of(found: Sequence[Curve]) -> str:
    """Return where the mean score of the first arm is lowest."""
    one = found[0]
    means = _means(one.score)
    value = min(zip(one.values, means, strict=True), key=lambda pair: pair[1][0])[0]
    name = one.opened.name.rpartition(".")[2]
    return f"{short(one.arm)}: the mean score is lowest at {name} = {value:.3g}"


def _means(of: Sequence[Sequence[float | None]]) -> list[tuple[float, float]]:
    """Return mean and standard deviation over the seeds that have one, at each value."""
    columns = ([one for one in column if one is not None] for column in zip(*of, strict=True))
    return [
        (fmean(own), stdev(own) if len(own) > 1 else 0.0) if own else (float("nan"), 0.0) for own in columns
    ]


def _panels(figure: Any, shown: Sequence[Curve]) -> list[Axes]:
    rows = -(-len(shown) // 2)
    axes: list[Axes] = list(figure.subplots(rows, 2, sharey=True, squeeze=False).flat)
    for empty in axes[len(shown) :]:
        empty.remove()
    for panel, one in zip(axes, shown, strict=False):
        panel.set_title(short(f"{short(one.arm, 16)}: {one.opened.name.rpartition('.')[2]}", 28))
        if one.opened.log:
            panel.set_xscale("log")
        plain_numbers(panel.xaxis)
        panel.tick_params(axis="x", labelrotation=30)
    return axes[: len(shown)]


def _draw(panel: Axes, one: Curve) -> None:
    tested = any(value is not None for seed in one.test for value in seed)
    if one.drawn:
        for of, colour, size in ((one.test, FAINT, 4), (one.score, ACCENT, 9)):
            dots = [(v, y) for seed in of for v, y in zip(one.values, seed, strict=True) if y is not None]
            panel.scatter([x for x, _ in dots], [y for _, y in dots], s=size, color=colour, linewidths=0)
        return
    means = _means(one.score)
    low, high = [m - s for m, s in means], [m + s for m, s in means]
    panel.fill_between(one.values, low, high, color=ACCENT, alpha=0.15, linewidth=0)
    if tested:
        panel.plot(one.values, [m for m, _ in _means(one.test)], color=MUTED, linewidth=1.2, linestyle="--")
    panel.plot(one.values, [m for m, _ in means], color=ACCENT, marker="o", markersize=3.5)


def _note(found: Sequence[Curve]) -> str:
    tested = any(value is not None for one in found for seed in one.test for value in seed)
    faint = " Dashed or grey: the same trials on test rows, which chose nothing." if tested else ""
    more = f" The first {PANELS} of {len(found)}; the table has all." if len(found) > PANELS else ""
    return f"Line and band: mean ± standard deviation over seeds of the score that chooses.{faint}{more}"


def _told(one: Curve) -> str:
    means = _means(one.score)
    value, (mean, _) = min(zip(one.values, means, strict=True), key=lambda pair: pair[1][0])
    return f"{one.arm}, {one.opened.name}: lowest at {value:.3g}, {mean:.3g} on average."


def _table(found: Sequence[Curve]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        for value, (mean, spread), (test, _) in zip(
            one.values, _means(one.score), _means(one.test), strict=True
        ):
            tested = None if isnan(test) else test
            rows.append((one.arm, one.opened.name, value, mean, spread, tested))
    return Table(("arm", "setting", "value", "mean score", "standard deviation", "mean on test rows"), rows)

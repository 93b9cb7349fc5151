"""Squared error against how far ahead a forecast looks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from studylib.figures.learning_curves import averaged, thinned
from studylib.figures.picture import Cell, Table
from studylib.figures.style import (
    ACCENT,
    FAINT,
    label_edges,
    panels,
    picture,
    plain_numbers,
    say,
    saying,
    sheet,
    styled,
)
from studylib.figures.words import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.learning_curves import Average
    from studylib.figures.picture import Picture
    from studylib.records import Record

CURVE = "error_by_step"


@styled
def draw_error_by_step(record: Record, arms: Sequence[str] | None = None) -> Picture:
    """Draw the mean squared test error per step ahead over the seeds, ± 1 standard error, a panel per arm."""
    names = list(arms or record.arms)
    found = {arm: averaged(record.finished(arm), CURVE) for arm in names}
    curves = {arm: curve for arm, curve in found.items() if curve}
    if not curves:
        return saying("No error by step: the task is no forecast, or no training came to its end.")
    title = _title(curves)
    note = (
        f"Mean squared error of test windows, in variances. Thin: {short(record.baseline)}."
        " Mean over seeds ± 1 standard error."
    )
    figure = sheet(1.15 + 1.35 * -(-len(names) // 2), title, note)
    axes = panels(figure, names)
    reference = averaged(record.finished(record.baseline), CURVE)
    for panel, arm in zip(axes, names, strict=True):
        _draw(panel, found[arm], reference if arm != record.baseline else None)
    axes[0].set_yscale("log")
    plain_numbers(axes[0].yaxis)
    axes[0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    label_edges(axes, "steps ahead", "squared error")
    told = " ".join(_told(arm, curve) for arm, curve in curves.items())
    return picture(figure, f"{title}. {told}", _table(curves))


def _draw(panel: Axes, curve: Average | None, reference: Average | None) -> None:
    if reference:
        kept = thinned(len(reference.mean))
        panel.plot(reference.epochs[kept], reference.mean[kept], color=FAINT, linewidth=1.2)
    if not curve:
        say(panel, "no seed came to the end of its training")
        return
    kept = thinned(len(curve.mean))
    steps, mean, error = curve.epochs[kept], curve.mean[kept], curve.error[kept]
    panel.fill_between(
        steps, np.maximum(mean - error, mean / 2), mean + error, color=ACCENT, alpha=0.18, lw=0
    )
    panel.plot(steps, mean, color=ACCENT)


def _title(curves: dict[str, Average]) -> str:
    """Return whose error is lowest at the first and at the last step."""
    near, far = (min(curves, key=lambda arm: float(curves[arm].mean[step])) for step in (0, -1))
    steps = len(curves[near].mean)
    first = f"Lowest error 1 step ahead: {short(near)} {curves[near].mean[0]:.2g}"
    if steps == 1:
        return first
    return f"{first}; {steps} steps ahead: {short(far)} {curves[far].mean[-1]:.2g}"


def _told(arm: str, curve: Average) -> str:
    return f"{arm}: {curve.mean[0]:.3g} at the first step, {curve.mean[-1]:.3g} at the last."


def _table(curves: dict[str, Average]) -> Table:
    """Return the points that are drawn, a row per arm and step."""
    rows: list[tuple[Cell, ...]] = [
        (arm, int(step) + 1, float(curve.mean[step]), float(curve.error[step]))
        for arm, curve in curves.items()
        for step in thinned(len(curve.mean))
    ]
    return Table(("arm", "steps ahead", "squared error, mean", "squared error, standard error"), rows)

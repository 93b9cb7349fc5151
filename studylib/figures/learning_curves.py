"""Loss against epoch, on the rows that are learnt from and on rows that are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from matplotlib.ticker import MaxNLocator

from studylib.figures.picture import Cell, Table
from studylib.figures.style import (
    ACCENT,
    FAINT,
    MUTED,
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

    from studylib.figures.picture import Picture
    from studylib.records import Fit, Record

MOST_POINTS = 30  # of a line: more cannot be told apart at this size
WIDE = 30.0  # ratio of losses from which a linear axis would flatten the small ones


@final
@dataclass(frozen=True)
class Average:
    """A curve averaged over seeds; arrays of shape (epochs,), epochs from 1."""

    mean: np.ndarray
    error: np.ndarray

    @property
    def epochs(self) -> np.ndarray:
        """The number of each epoch."""
        return np.arange(1, len(self.mean) + 1)


@styled
def draw_learning_curves(record: Record, arms: Sequence[str] | None = None) -> Picture:
    """Draw mean train and validation loss per epoch over the seeds, ± 1 standard error, a panel per arm.

    Where early stopping ends some seeds before others, the mean is over those still training, and the line
    ends where fewer than half of them are.
    """
    names = list(arms or record.arms)
    if not any(averaged(record.finished(arm), "train_loss") for arm in names):
        return saying("No learning curves: these models are solved exactly, or no training came to its end.")
    unit = " (nats)" if record.dataset.get("task") == "classification" else ""
    title = _title({arm: record.finished(arm) for arm in names}, unit)
    note = (
        "Loss per example, without penalties. Solid: validation. Dashed: train."
        f" Thin: validation of {short(record.baseline)}. Mean over seeds ± 1 standard error."
    )
    figure = sheet(1.15 + 1.5 * -(-len(names) // 2), title, note)
    axes = panels(figure, names)
    reference = averaged(record.finished(record.baseline), "validation_loss")
    for panel, arm in zip(axes, names, strict=True):
        if reference and arm != record.baseline:
            panel.plot(reference.epochs, reference.mean, color=FAINT, linewidth=1.2)
        _draw(panel, record.finished(arm))
    _choose_scale(axes)
    axes[0].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    label_edges(axes, "epoch", f"loss{unit}")
    told = " ".join(_told(arm, record.finished(arm)) for arm in names)
    return picture(figure, f"{title}. {told}", _table({arm: record.finished(arm) for arm in names}, unit))


def averaged(fits: Sequence[Fit], curve: str) -> Average | None:
    """Return mean and standard error of a curve over the seeds that are still training, if there are any."""
    curves = [fit.curves[curve] for fit in fits if fit.curves.get(curve)]
    if not curves:
        return None
    table = np.full((len(curves), max(map(len, curves))), np.nan)
    for row, values in zip(table, curves, strict=True):
        row[: len(values)] = values
    training = np.isfinite(table).sum(axis=0)
    table, training = table[:, training * 2 >= len(curves)], training[training * 2 >= len(curves)]
    mean = np.nansum(table, axis=0) / training
    spread = np.nansum((table - mean) ** 2, axis=0) / np.maximum(training - 1, 1)
    return Average(mean, np.sqrt(spread / training))


def thinned(count: int) -> np.ndarray:
    """Return which of ``count`` points are drawn: evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(int))


def _draw(panel: Axes, fits: Sequence[Fit]) -> None:
    if not fits:
        say(panel, "no seed came to the end of its training")
    for curve, colour, line in (("train_loss", MUTED, (0, (3, 1.5))), ("validation_loss", ACCENT, "-")):
        average = averaged(fits, curve)
        if average:
            kept = thinned(len(average.mean))
            epochs, mean, error = average.epochs[kept], average.mean[kept], average.error[kept]
            panel.fill_between(epochs, mean - error, mean + error, color=colour, alpha=0.18, linewidth=0)
            panel.plot(epochs, mean, color=colour, linestyle=line)


def _choose_scale(axes: list[Axes]) -> None:
    heights = np.concatenate([line.get_ydata() for panel in axes for line in panel.get_lines()]).astype(float)
    if heights.min() > 0 and heights.max() / heights.min() > WIDE:
        axes[0].set_yscale("log")
        plain_numbers(axes[0].yaxis)


def _told(arm: str, fits: Sequence[Fit]) -> str:
    train, validation = averaged(fits, "train_loss"), averaged(fits, "validation_loss")
    if not train or not validation:
        return f"{arm}: no seed came to the end of its training."
    return (
        f"{arm}: train loss ends at {train.mean[-1]:.3g}, validation loss at {validation.mean[-1]:.3g}"
        f" (lowest {validation.mean.min():.3g} at epoch {validation.mean.argmin() + 1})."
    )


def _title(found: Mapping[str, Sequence[Fit]], unit: str) -> str:
    """Return whose validation loss ends furthest above its train loss, and whose nearest."""
    gaps = {}
    for arm, fits in found.items():
        train, validation = averaged(fits, "train_loss"), averaged(fits, "validation_loss")
        if train and validation:
            gaps[arm] = float(validation.mean[-1] - train.mean[-1])
    if not gaps:
        return f"Train loss by epoch{unit}"
    widest, narrowest = max(gaps, key=gaps.__getitem__), min(gaps, key=gaps.__getitem__)
    first = f"Gap of validation over train loss at the end{unit}: {short(widest)} {gaps[widest]:.2g}"
    return first if len(gaps) == 1 else f"{first}, the widest; {short(narrowest)} {gaps[narrowest]:.2g}"


def _table(found: Mapping[str, Sequence[Fit]], unit: str) -> Table:
    """Return the points that are drawn, a row per arm and epoch."""
    kinds = ("train", "validation")
    columns = [f"{kind} loss{unit}, {what}" for kind in kinds for what in ("mean", "standard error")]
    rows: dict[tuple[str, int], list[Cell]] = {}
    for arm, fits in found.items():
        for place, kind in enumerate(kinds):
            average = averaged(fits, f"{kind}_loss")
            if average:
                for point in map(int, thinned(len(average.mean))):
                    row = rows.setdefault((arm, point + 1), [None] * 4)
                    row[2 * place : 2 * place + 2] = float(average.mean[point]), float(average.error[point])
    return Table(["arm", "epoch", *columns], [(arm, epoch, *row) for (arm, epoch), row in rows.items()])

"""Forecasts beside what came, to be judged by eye."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from studylib.figures.picture import Cell, Table
from studylib.figures.style import FAINT, INK, SERIES, picture, saying, sheet, styled
from studylib.figures.words import short, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from studylib.figures.picture import Picture

DASHES: tuple[Any, ...] = ((0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.5, 1.5)), "-")  # seen in grey too


@styled
def draw_forecasts(past: ArrayLike, came: ArrayLike, arms: Mapping[str, ArrayLike]) -> Picture:
    """Draw windows one below the other: the last values that were known, what came, and each arm's forecast.

    Args:
        past: shape (windows, steps); ``came``: shape (windows, horizon).
        came: what followed.
        arms: by name, forecasts of the shape of ``came``.
    """
    known, true = np.asarray(past, dtype=float), np.asarray(came, dtype=float)
    said = {name: np.asarray(values, dtype=float) for name, values in arms.items()}
    if not said or not true.size:
        return saying("No forecasts to show: the task is no forecast, or no training came to its end.")
    errors = {name: float(((values - true) ** 2).mean()) for name, values in said.items()}
    title = _title(errors)
    note = "Grey: the past. Black: what came. In standard deviations of the train values; 0 is now."
    figure = sheet(1.6 + 1.25 * len(true), note=note)
    axes = list(figure.subplots(len(true), 1, sharex=True, squeeze=False).flat)
    for window, panel in enumerate(axes):
        _draw(panel, known[window], true[window], {name: values[window] for name, values in said.items()})
    axes[-1].set_xlabel("steps ahead")
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside upper left",
        ncols=2,
        title=wrapped(title, 50),
        title_fontproperties={"size": 11, "weight": "bold"},
        alignment="left",
    )
    told = " ".join(f"{name}: squared error {error:.3g} in these windows." for name, error in errors.items())
    return picture(figure, f"{title}. {told}", _table(true, said))


def _draw(panel: Axes, past: np.ndarray, came: np.ndarray, arms: Mapping[str, np.ndarray]) -> None:
    ahead = np.arange(1, len(came) + 1)
    panel.plot(np.arange(1 - len(past), 1), past, color=FAINT, linewidth=1.2)
    panel.plot(ahead, came, color=INK, linewidth=1.6)
    for (name, values), colour, line in zip(arms.items(), SERIES, DASHES * 2, strict=False):
        panel.plot(ahead, values, color=colour, linestyle=line, linewidth=1.4, label=short(name, 24))


def _title(errors: Mapping[str, float]) -> str:
    """Return which of the arms lies nearest to what came in these windows, and which furthest."""
    near, far = min(errors, key=errors.__getitem__), max(errors, key=errors.__getitem__)
    first = f"Nearest to what came in these windows: {short(near)}"
    return first if near == far else f"{first}; furthest: {short(far)}"


def _table(came: np.ndarray, arms: Mapping[str, np.ndarray]) -> Table:
    """Return what came and what was forecast, a row per window and step."""
    rows: list[tuple[Cell, ...]] = [
        (window + 1, step + 1, float(came[window, step]), *(float(v[window, step]) for v in arms.values()))
        for window in range(came.shape[0])
        for step in range(came.shape[1])
    ]
    return Table(("window", "steps ahead", "what came", *arms), rows)

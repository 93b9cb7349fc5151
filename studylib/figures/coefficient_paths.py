"""Coefficients as the strength grows: which shrink, and which vanish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection

from studylib.figures.picture import Cell, Table
from studylib.figures.style import (
    FAINT,
    INK,
    SERIES,
    label_edges,
    panels,
    picture,
    plain_numbers,
    saying,
    sheet,
    styled,
)
from studylib.figures.words import short, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from studylib.figures.picture import Picture

NAMED = len(SERIES)  # coefficients with a colour and a name; the others stay grey
MOST_POINTS = 5000  # of the grey lines of a panel; an image of more is smaller
LEGEND_WIDTH = 62  # in signs; a line and its gap take nine
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (5, 1.5, 1.5, 1.5)))  # seen in grey too


@styled
def draw_coefficient_paths(
    strengths: ArrayLike, paths: Mapping[str, ArrayLike], names: Sequence[str] | None = None
) -> Picture:
    """Draw every coefficient against the strength λ, a panel per method; the largest ones have a name.

    Args:
        strengths: λ, positive, shape (n,).
        paths: by method, coefficients of shape (n, features).
        names: of the features; None numbers them.
    """
    x = np.asarray(strengths, dtype=float)
    tables = {method: np.asarray(values, dtype=float) for method, values in paths.items()}
    if not tables or not len(x):
        return saying("No coefficient paths to show.")
    features = next(iter(tables.values())).shape[1]
    labels = list(names) if names is not None else [f"feature {k + 1}" for k in range(features)]
    figure = sheet(1.5 + 1.8 * -(-len(tables) // 2))
    axes = panels(figure, list(tables))
    coloured = [(k, short(labels[k], 16)) for k in largest(tables)]
    for panel, values in zip(axes, tables.values(), strict=True):
        _draw(panel, x, values, coloured)
    axes[0].set_xscale("log")
    plain_numbers(axes[0].xaxis)
    label_edges(axes, "strength λ", "coefficient")
    title = _title(tables)
    figure.legend(
        *axes[0].get_legend_handles_labels(),
        loc="outside upper left",
        ncols=max(1, int(LEGEND_WIDTH // (9 + max(len(name) for _, name in coloured)))),
        title=wrapped(title, 50),
        title_fontproperties={"size": 11, "weight": "bold"},
        alignment="left",
    )
    told = " ".join(_told(method, values) for method, values in tables.items())
    return picture(figure, f"{title}. {told}", _table(x, tables, coloured))


def largest(tables: Mapping[str, np.ndarray]) -> list[int]:
    """Return the features whose coefficients are ever the largest in size, largest first."""
    size = np.max([np.abs(values).max(axis=0) for values in tables.values()], axis=0)
    return [int(k) for k in np.argsort(-size, kind="stable")[:NAMED]]


def _draw(panel: Axes, x: np.ndarray, values: np.ndarray, coloured: list[tuple[int, str]]) -> None:
    others = np.setdiff1d(np.arange(values.shape[1]), [k for k, _ in coloured])
    if len(others):
        lines = [np.column_stack([x, values[:, k]]) for k in others]
        many = values[:, others].size > MOST_POINTS
        panel.add_collection(LineCollection(lines, colors=FAINT, linewidths=0.8, rasterized=many))
    for colour, line, (k, name) in zip(SERIES, DASHES * 2, coloured, strict=False):
        panel.plot(x, values[:, k], color=colour, linestyle=line, linewidth=1.5, label=name)
    panel.axhline(0, color=INK, linewidth=0.8)


def _title(tables: Mapping[str, np.ndarray]) -> str:
    """Return which method keeps the most coefficients at the highest strength, and which the fewest."""
    kept = {method: int((values[-1] != 0).sum()) for method, values in tables.items()}
    most, fewest = max(kept, key=kept.__getitem__), min(kept, key=kept.__getitem__)
    count = next(iter(tables.values())).shape[1]
    first = f"Not zero at the highest strength: {kept[most]} of {count} coefficients with {short(most)}"
    return first if kept[most] == kept[fewest] else f"{first}, {kept[fewest]} with {short(fewest)}"


def _table(x: np.ndarray, tables: Mapping[str, np.ndarray], named: list[tuple[int, str]]) -> Table:
    """Return the named coefficients and how many are not zero, a row per method and strength."""
    rows: list[list[Cell]] = [
        [method, float(strength), *(float(row[k]) for k, _ in named), int((row != 0).sum())]
        for method, values in tables.items()
        for strength, row in zip(x, values, strict=True)
    ]
    return Table(["method", "strength λ", *(name for _, name in named), "coefficients not zero"], rows)


def _told(method: str, values: np.ndarray) -> str:
    kept = (values != 0).sum(axis=1)
    first, last = int(kept[0]), int(kept[-1])
    count = f"{first} of {values.shape[1]} coefficients"
    return f"{method}: {count} are not zero at the lowest λ, {last} at the highest."

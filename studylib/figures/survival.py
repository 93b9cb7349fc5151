"""Which features a sparse model keeps, again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from studylib.figures.picture import Cell, Table
from studylib.figures.style import picture, saying, sheet, styled
from studylib.figures.words import short
from studylib.frames import any_text

if TYPE_CHECKING:
    import pandas as pd

    from studylib.figures.picture import Picture
    from studylib.records import Record

WRITTEN = 13  # features up to which a cell has room for its number
NOTE = (
    "Share of seeds in which a feature is kept. 1: in every seed. 0: its coefficient is always exactly zero."
)


@styled
def draw_survival(
    record: Record, arms: Sequence[str] | None = None, names: Sequence[str] | None = None
) -> Picture:
    """Draw in which share of the seeds each feature's coefficient is not exactly zero, arms × features.

    Args:
        record: with the curve ``coefficients``.
        arms: which; None is all that have coefficients.
        names: of the features; None numbers them.
    """
    import seaborn as sns

    table = kept(record, list(arms or record.arms), names)
    if table.empty:
        return saying("No coefficients: the models have none, or no fit came to its end.")
    title = _title(table)
    figure = sheet(1.75 + 0.32 * len(table), title, NOTE)
    axes = figure.subplots()
    few = table.shape[1] <= WRITTEN
    sns.heatmap(
        table.rename(index=short, columns=lambda name: short(name, 16)),
        ax=axes,
        cmap="Blues",
        vmin=0,
        vmax=1,
        linewidths=1 if few else 0,
        annot=few,
        fmt=".2g",
        annot_kws={"fontsize": 8.5},
        cbar=not few,
        rasterized=not few,
        yticklabels=True,
    )
    axes.tick_params(axis="y", labelrotation=0)
    axes.tick_params(axis="x", labelrotation=90)
    axes.set(xlabel="", ylabel="")
    told = " ".join(f"{arm} always keeps {_always(row)}." for arm, row in table.iterrows())
    rows: list[tuple[Cell, ...]] = [(str(arm), *map(float, row)) for arm, row in table.iterrows()]
    return picture(figure, f"{title}. {told}", Table(("arm", *map(str, table.columns)), rows))


@any_text()
def kept(record: Record, arms: Sequence[str], names: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the share of seeds with a coefficient that is not zero, a row per arm, a column per feature."""
    import pandas as pd

    rows = {}
    for arm in arms:
        found = [fit.curves["coefficients"] for fit in record.finished(arm) if "coefficients" in fit.curves]
        if found:
            rows[arm] = (np.array(found) != 0).mean(axis=0)
    count = len(next(iter(rows.values()))) if rows else 0
    columns = list(names) if names is not None else [f"feature {k + 1}" for k in range(count)]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _title(table: pd.DataFrame) -> str:
    """Return which arm keeps the most features in every seed, and which the fewest."""
    counts = {str(arm): int((row == 1).sum()) for arm, row in table.iterrows()}
    most, fewest = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    first = f"Kept in every seed: {counts[most]} of {table.shape[1]} features by {short(most)}"
    return first if counts[most] == counts[fewest] else f"{first}, {counts[fewest]} by {short(fewest)}"


def _always(row: pd.Series[float]) -> str:
    whole = [str(name) for name, share in row.items() if share == 1]
    return f"{len(whole)} of {len(row)} features" + (
        f" ({', '.join(whole)})" if 0 < len(whole) <= WRITTEN else ""
    )

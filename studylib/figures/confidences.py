"""How sure a model says it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from studylib.figures.picture import Table
from studylib.figures.reliability import Bins, pooled
from studylib.figures.style import (
    ACCENT,
    INK,
    SECOND,
    label_edges,
    panels,
    picture,
    say,
    saying,
    sheet,
    styled,
)
from studylib.figures.words import percent, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.records import Record


@styled
def draw_confidences(record: Record, arms: Sequence[str] | None = None) -> Picture:
    """Draw the share of test predictions by confidence over all seeds; the baseline as outline."""
    names = list(arms or record.arms)
    found = {arm: pooled(record.finished(arm)) for arm in names}
    if not any(found.values()):
        return saying("No confidences: the task has no classes, or no training came to its end.")
    title = _title({arm: bins for arm, bins in found.items() if bins})
    note = (
        f"Solid line: mean confidence. Dashed: accuracy. Outline: {short(record.baseline)}."
        " Thin bars: 95\N{NO-BREAK SPACE}% intervals over seeds."
    )
    figure = sheet(1.15 + 1.45 * -(-len(names) // 2), title, note)
    axes = panels(figure, names)
    baseline = pooled(record.finished(record.baseline))
    for panel, arm in zip(axes, names, strict=True):
        _draw(panel, found[arm], baseline)
    label_edges(axes, "confidence (%)", "predictions (%)")
    told = " ".join(_told(arm, found[arm]) for arm in names)
    return picture(figure, f"{title}. {told}", _table(found))


def _draw(panel: Axes, bins: Bins | None, baseline: Bins | None) -> None:
    panel.set_xlim(0, 102)
    if bins is None:
        say(panel, "no seed came to the end of its training")
        return
    edges = np.linspace(0, 100, len(bins.share) + 1)
    panel.stairs(bins.share * 100, edges, fill=True, color=ACCENT, alpha=0.35)
    middles, reached = (edges[1:] + edges[:-1]) / 2, bins.share_error > 0
    panel.errorbar(
        middles[reached],
        100 * bins.share[reached],
        100 * bins.share_error[reached],
        fmt="none",
        ecolor=ACCENT,
        elinewidth=0.9,
    )
    if baseline:
        panel.stairs(baseline.share * 100, edges, color=INK, linewidth=0.9)
    sure, right = bins.means
    panel.axvline(sure * 100, color=ACCENT, linewidth=1.6)
    panel.axvline(right * 100, color=SECOND, linewidth=1.6, linestyle=(0, (3, 1.5)))


def _title(found: Mapping[str, Bins]) -> str:
    sure = {arm: bins.means[0] for arm, bins in found.items()}
    most, least = max(sure, key=sure.__getitem__), min(sure, key=sure.__getitem__)
    first = f"Mean confidence: {short(most)} {percent(sure[most])}"
    return (
        first
        if len(sure) == 1
        else f"{first}, the surest; {short(least)} {percent(sure[least])}, the least sure"
    )


def _table(found: Mapping[str, Bins | None]) -> Table:
    """Return what is drawn, a row per arm and bin."""
    columns = ("arm", "confidence from (%)", "to (%)", "share of predictions (%)", "± (points)")
    means = ("mean confidence of the arm (%)", "accuracy of the arm (%)")
    rows = []
    for arm, bins in found.items():
        if bins:
            edges = np.linspace(0, 100, len(bins.share) + 1)
            numbers = np.stack([edges[:-1], edges[1:], 100 * bins.share, 100 * bins.share_error])
            rows += [(arm, *bar, *(100 * mean for mean in bins.means)) for bar in numbers.T.tolist()]
    return Table((*columns, *means), rows)


def _told(arm: str, bins: Bins | None) -> str:
    if bins is None:
        return f"{arm}: nothing to show."
    sure, right = bins.means
    surest = percent(float(bins.share[-1]), 0)
    return f"{arm}: mean confidence {percent(sure)}, accuracy {percent(right)}, {surest} in the surest bin."

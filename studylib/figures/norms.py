"""How large the embeddings are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studylib.figures.intervals import interval, reach
from studylib.figures.picture import Table
from studylib.figures.style import ACCENT, INK, SECOND, picture, saying, sheet, styled
from studylib.figures.words import short

if TYPE_CHECKING:
    from studylib.figures.picture import Picture
    from studylib.records import Record
    from studylib.statistics import Interval

KINDS = (("row_norm", "rows", "o", ACCENT, -0.14), ("item_norm", "items", "s", SECOND, 0.14))


@styled
def draw_norms(record: Record, arms: Sequence[str] | None = None) -> Picture:
    """Draw the mean norm of row and item embeddings of each arm, with 95 % intervals over seeds."""
    names = list(arms or record.arms)
    found = {key: [interval(record, arm, key) for arm in names] for key, *_ in KINDS}
    if not any(one for kind in found.values() for one in kind):
        return saying("No embeddings: the models have none, or no training came to its end.")
    note = "Circles: rows. Squares: items. Bars: 95\N{NO-BREAK SPACE}% intervals of the mean over seeds."
    title = _title(names, found)
    figure = sheet(1.45 + 0.38 * len(names), title, note)
    axes = figure.subplots()
    for key, _, marker, colour, shift in KINDS:
        drawn = [(place + shift, one) for place, one in enumerate(found[key]) if one]
        places, means, reaches = (
            [p for p, _ in drawn],
            [i.mean for _, i in drawn],
            [reach(i) for _, i in drawn],
        )
        axes.errorbar(means, places, xerr=reaches, color=colour, fmt=marker, markersize=6, capsize=3)
    axes.set_yticks(range(len(names)), [short(arm) for arm in names], color=INK)
    axes.set(ylim=(len(names) - 0.4, -0.6), xlabel="mean Euclidean norm")
    axes.set_xlim(left=0)
    told = " ".join(f"{arm}: {_told(found, place)}." for place, arm in enumerate(names))
    rows = [
        (arm, label, one.mean, one.low, one.high)
        for key, label, *_ in KINDS
        for arm, one in zip(names, found[key], strict=True)
        if one
    ]
    return picture(figure, f"{title}. {told}", Table(("arm", "embeddings", "mean norm", "low", "high"), rows))


def _title(names: Sequence[str], found: dict[str, list[Interval | None]]) -> str:
    """Return which arm has the longest embeddings on average, and which the shortest."""
    key, label = next((key, label) for key, label, *_ in KINDS if any(found[key]))
    means = {arm: one.mean for arm, one in zip(names, found[key], strict=True) if one}
    longest, shortest = max(means, key=means.__getitem__), min(means, key=means.__getitem__)
    first = f"Mean length of the embeddings of {label}: {short(longest)} {means[longest]:.3g}"
    return first if len(means) == 1 else f"{first}, the longest; {short(shortest)} {means[shortest]:.3g}"


def _told(found: dict[str, list[Interval | None]], place: int) -> str:
    parts = [(label, found[key][place]) for key, label, *_ in KINDS]
    return ", ".join(f"{label} {one.mean:.3g}" for label, one in parts if one) or "no finished fit"

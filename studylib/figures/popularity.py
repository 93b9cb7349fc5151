"""Who is served: recall of rare and of popular items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from studylib.figures.intervals import reach
from studylib.figures.picture import Table
from studylib.figures.style import ACCENT, FAINT, label_edges, panels, picture, say, saying, sheet, styled
from studylib.figures.words import percent, short
from studylib.statistics import Interval, paired_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.records import Record

CURVE = "recall_by_popularity"


@styled
def draw_popularity(record: Record, arms: Sequence[str] | None = None) -> Picture:
    """Draw the recall of test items by fifths of their popularity, a panel per arm, 95 % over seeds."""
    names = list(arms or record.arms)
    found = {arm: by_popularity(record, arm) for arm in names}
    if not any(found.values()):
        return saying("No recall by popularity: the task is no ranking, or no training came to its end.")
    note = (
        f"Items in fifths by their interactions in train. Thin: {short(record.baseline)}."
        " Bars: 95\N{NO-BREAK SPACE}% intervals of the mean over seeds."
    )
    title = _title({arm: rows for arm, rows in found.items() if rows})
    figure = sheet(1.15 + 1.5 * -(-len(names) // 2), title, note)
    axes = panels(figure, names)
    baseline = by_popularity(record, record.baseline)
    for panel, arm in zip(axes, names, strict=True):
        _draw(panel, found[arm], [] if arm == record.baseline else baseline)
    axes[0].set_ylim(bottom=0)
    label_edges(axes, "popularity of the item", "recall (%)")
    told = " ".join(_told(arm, rows) for arm, rows in found.items())
    alt = f"{title}. By fifths of the items, from the rarest to the most popular: {told}"
    table = [
        (arm, fifth, 100 * one.mean, 100 * one.low, 100 * one.high)
        for arm, rows in found.items()
        for fifth, one in enumerate(rows, 1)
    ]
    return picture(figure, alt, Table(("arm", "fifth, 1 = rarest", "recall at 20 (%)", "low", "high"), table))


def by_popularity(record: Record, arm: str) -> list[Interval]:
    """Return mean recall over seeds with its 95 % interval, 0 to 1, rarest fifth of the items first."""
    curves = [fit.curves[CURVE] for fit in record.finished(arm) if CURVE in fit.curves]
    return [paired_interval(values) for values in zip(*curves, strict=True)]


def _title(found: dict[str, list[Interval]]) -> str:
    rare, popular = (max(found, key=lambda arm: found[arm][place].mean) for place in (0, -1))
    return (
        f"Highest mean recall at 20: of the rarest items {short(rare)}, {percent(found[rare][0].mean)};"
        f" of the most popular {short(popular)}, {percent(found[popular][-1].mean)}"
    )


def _draw(panel: Axes, rows: list[Interval], baseline: list[Interval]) -> None:
    if baseline:
        panel.plot(range(len(baseline)), [one.mean * 100 for one in baseline], color=FAINT, linewidth=1.4)
    if not rows:
        say(panel, "no seed came to the end of its training")
        return
    means, reaches = [one.mean * 100 for one in rows], [reach(one) * 100 for one in rows]
    panel.errorbar(range(len(rows)), means, reaches, color=ACCENT, marker="o", markersize=4, capsize=2)
    panel.set_xticks(range(len(rows)), ["rare", *[""] * (len(rows) - 2), "popular"])


def _told(arm: str, rows: list[Interval]) -> str:
    return f"{arm}: {', '.join(percent(one.mean) for one in rows) or 'nothing to show'}."

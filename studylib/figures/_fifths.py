"""How well each fifth of the items, or of the rows, is served: recall of a ranking, error of ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, final

from studylib.compare.sentences import unit_of
from studylib.figures.intervals import reach
from studylib.figures.picture import Cell, Table
from studylib.figures.style import ACCENT, FAINT, label_edges, panels, picture, say, saying, sheet
from studylib.figures.words import percent, short
from studylib.statistics import Interval, paired_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.records import Record

Found = Mapping[str, list[Interval]]  # by arm, an interval per fifth, the smallest counts first


@final
class Side(NamedTuple):
    """Whose fifths they are.

    Attributes:
        who: in the plural.
        axis: what makes the first fifth differ from the last.
        ends: what the first and the last are called in a word.
        named: and in a sentence.
        recall, error: the curves of a ranking and of ratings.
    """

    who: str
    axis: str
    ends: tuple[str, str]
    named: tuple[str, str]
    recall: str
    error: str


@final
class _Measure(NamedTuple):
    """What is drawn of them: its curve, noun, unit, and what the numbers of a record are multiplied by."""

    curve: str
    noun: str
    unit: str
    scale: float
    higher_is_better: bool

    @property
    def label(self) -> str:
        return f"{self.noun} ({self.unit})" if self.unit else self.noun

    def told(self, one: Interval) -> str:
        return percent(one.mean) if self.unit == "%" else f"{one.mean:.3f} {self.unit}".strip()


def draw(record: Record, arms: Sequence[str] | None, side: Side) -> Picture:
    """Draw a panel per arm, 95 % over seeds; the caller gives it the style."""
    names = list(arms or record.arms)
    measure = _measure(record, side)
    found = {arm: by_fifth(record, arm, measure.curve) for arm in names}
    if not any(found.values()):
        return saying(
            f"No {measure.noun} by {side.axis}: nothing is recommended here, no training came to its end, or"
            " fewer than five were tested."
        )
    title = _title({arm: rows for arm, rows in found.items() if rows}, side, measure)
    note = (
        f"{side.who} in fifths by their interactions in train. Thin: {short(record.baseline)}."
        " Bars: 95\N{NO-BREAK SPACE}% intervals of the mean over seeds."
    )
    figure = sheet(1.15 + 1.5 * -(-len(names) // 2), title, note)
    axes = panels(figure, names)
    baseline = by_fifth(record, record.baseline, measure.curve)
    for panel, arm in zip(axes, names, strict=True):
        _draw(panel, found[arm], [] if arm == record.baseline else baseline, side.ends, measure.scale)
    if measure.higher_is_better:
        axes[0].set_ylim(bottom=0)
    label_edges(axes, side.axis, measure.label)
    told = " ".join(
        f"{arm}: {', '.join(map(measure.told, rows)) or 'nothing to show'}." for arm, rows in found.items()
    )
    alt = f"{title}. By fifths, from {side.named[0]} to {side.named[1]}: {told}"
    return picture(figure, alt, _table(found, side, measure))


def by_fifth(record: Record, arm: str, curve: str) -> list[Interval]:
    """Return the mean of a ``curve`` over seeds with its 95 % interval, the smallest counts first."""
    curves = [fit.curves[curve] for fit in record.finished(arm) if curve in fit.curves]
    return [paired_interval(values) for values in zip(*curves, strict=True)]


def _measure(record: Record, side: Side) -> _Measure:
    if record.dataset.get("task") == "rating":
        return _Measure(side.error, "test RMSE", unit_of(record), 1.0, higher_is_better=False)
    return _Measure(side.recall, "recall at 20", "%", 100.0, higher_is_better=True)


def _title(found: Found, side: Side, measure: _Measure) -> str:
    pick, word = (max, "Highest") if measure.higher_is_better else (min, "Lowest")
    first, last = (pick(found, key=lambda arm: found[arm][place].mean) for place in (0, -1))
    return (
        f"{word} mean {measure.noun}: of {side.named[0]} {short(first)}, {measure.told(found[first][0])};"
        f" of {side.named[1]} {short(last)}, {measure.told(found[last][-1])}"
    )


def _draw(
    panel: Axes, rows: list[Interval], baseline: list[Interval], ends: tuple[str, str], scale: float
) -> None:
    if baseline:
        panel.plot(range(len(baseline)), [one.mean * scale for one in baseline], color=FAINT, linewidth=1.4)
    if not rows:
        say(panel, "no seed came to the end of its training")
        return
    means, reaches = [one.mean * scale for one in rows], [reach(one) * scale for one in rows]
    panel.errorbar(range(len(rows)), means, reaches, color=ACCENT, marker="o", markersize=4, capsize=2)
    panel.set_xticks(range(len(rows)), [ends[0], *[""] * (len(rows) - 2), ends[1]])


def _table(found: Found, side: Side, measure: _Measure) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (arm, fifth, *(measure.scale * part for part in (one.mean, one.low, one.high)))
        for arm, own in found.items()
        for fifth, one in enumerate(own, 1)
    ]
    return Table(("arm", f"fifth, 1 = {side.ends[0]}", measure.label, "low", "high"), rows)

"""The page of two runs side by side."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING, Any

from studylib.compare import spoken
from studylib.metrics import Metric, metric_of
from studylib.pages import strip
from studylib.pages.images import figure
from studylib.pages.layout import page
from studylib.statistics import FEWEST_PAIRS

if TYPE_CHECKING:
    from markupsafe import Markup

    from studylib.compare import ArmChange, Changes
    from studylib.statistics import Interval

NAMED = 4  # arms in the headline
KINDS = ("params", "dataset", "versions")


def compare_page(changes: Changes, *, command: str = "", commit: str = "") -> bytes:
    """Return the page of what was asked differently of two runs, and what came out differently.

    Args:
        changes: between the two.
        command: what makes the page again, as typed; nothing is said of it if empty.
        commit: of the code that made it.
    """
    before, after = changes.names
    return page(
        "comparison.html.j2",
        title=f"{before} → {after}",
        changes=changes,
        metric=spoken(changes.metric),
        differing={kind: getattr(changes, kind) for kind in KINDS},
        rows=[_row(change, changes) for change in changes.arms],
        headline=_headline(changes),
        unit=_unit(changes),
        figure=_figure(changes),
        command=command,
        commit=commit,
    )


def _headline(changes: Changes) -> str:
    """Return how many arms came out differently, as far as paired seeds tell."""
    same = sum(change.identical == change.fits > 0 for change in changes.arms)
    moved = [change.arm for change in changes.arms if _apart(change)]
    paired = any(change.difference for change in changes.arms)
    count = len(changes.arms)
    arms = f"{count} common {'arm' if count == 1 else 'arms'}"
    if same == count:
        return f"Nothing came out differently: all fits of {arms} are equal to the last bit."
    if not paired:
        return f"The data differ, so that nothing pairs the seeds of {arms}: means stand side by side."
    told = f"{len(moved)} of {arms} moved distinguishably"
    named = f" ({', '.join(moved)})" if 0 < len(moved) <= NAMED else ""
    equal = f"; {same} {'is' if same == 1 else 'are'} equal to the last bit" if same else ""
    return f"{told}{named}{equal}."


def _apart(change: ArmChange) -> bool:
    """Return whether the 95 % interval of the paired change leaves out no change."""
    one = change.difference
    return one is not None and change.pairs >= FEWEST_PAIRS and not one.low <= 0 <= one.high


def _unit(changes: Changes) -> str:
    metric = metric_of(changes.metric)
    return "%" if metric.unit == "points" else metric.unit_shown(changes.unit)


def _figure(changes: Changes) -> Markup:
    """Return the drawing of the mean of each arm, before and after, with intervals."""
    metric, unit = metric_of(changes.metric), _unit(changes)
    rows = [
        strip.row(
            change.arm,
            *(
                _mark(kind, one, metric.scale)
                for kind, one in zip(("before", "after"), change.spreads, strict=True)
            ),
        )
        for change in changes.arms
    ]
    named = f"{spoken(changes.metric)} ({unit})" if unit else spoken(changes.metric)
    told = "; ".join(map(strip.told, rows))
    words = f"Mean {named} of each arm before and after, with 95 % intervals: {told}."
    return figure("image/svg+xml", strip.strip(rows), words)


def _mark(kind: str, one: Interval | None, scale: float) -> tuple[str, float, float, float]:
    return (kind, one.mean * scale, one.low * scale, one.high * scale) if one else (kind, nan, nan, nan)


def _row(change: ArmChange, changes: Changes) -> dict[str, Any]:
    metric = metric_of(changes.metric)
    before, after = (_mean(metric, mean, changes.unit) for mean in change.means)
    moved, interval = _moved(change, metric)
    return {
        "arm": change.arm,
        "before": before,
        "after": after,
        "moved": moved,
        "interval": interval,
        "verdicts": change.verdicts,
    }


def _mean(metric: Metric, mean: float, unit: str) -> str:
    return "no fit finished" if isnan(mean) else metric.formatted(mean, unit)


def _moved(change: ArmChange, metric: Metric) -> tuple[str, str]:
    """Return how the arm moved, in words or as a number, and the interval of that number."""
    one = change.difference
    if change.identical == change.fits > 0:
        return "none", f"all {change.fits} common fits equal to the last bit"
    if one is None:
        return "not paired", "the data differ"
    if change.pairs < FEWEST_PAIRS:
        return "not known", "too few paired seeds"
    half = (one.high - one.low) / 2
    sign = "+" if one.mean > 0 else ""
    bounds = f"{metric.digits(one.low, half)} to {metric.digits(one.high, half)}, {change.pairs} pairs"
    return f"{sign}{metric.digits(one.mean, half)}", bounds

"""The page of two runs side by side."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

from studylib.compare import spoken
from studylib.metrics import Metric, metric_of
from studylib.pages.layout import page
from studylib.statistics import FEWEST_PAIRS

if TYPE_CHECKING:
    from studylib.compare import ArmChange, Changes

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
        command=command,
        commit=commit,
    )


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

"""The page of training-set sizes: each arm by the number of rows that it learns from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from studylib.compare import spoken
from studylib.metrics import metric_of
from studylib.pages.images import figure
from studylib.pages.layout import page
from studylib.pages.provenance import attributions
from studylib.records import Contrast, Record

if TYPE_CHECKING:
    from studylib.compare.sizes import Change, Growth
    from studylib.statistics import Interval


class Drawing(Protocol):
    """A vector image, and the same in words."""

    @property
    def svg(self) -> str:
        """One ``<svg>`` element."""

    @property
    def alt(self) -> str:
        """What it shows."""


def sizes_page(
    grown: Iterable[tuple[Growth, Drawing]],
    hrefs: Mapping[str, str],
    *,
    command: str = "",
    commit: str = "",
) -> bytes:
    """Return the page of all runs that differ in the number of train rows alone, a section for each dataset.

    Args:
        grown: the runs, with the picture of their arms.
        hrefs: path of the page of a run from this one, by ``<study>/<run>``.
        command: what makes the page again, as typed; nothing is said of it if empty.
        commit: of the code that made it.
    """
    pairs = list(grown)
    return page(
        "sizes.html.j2",
        title="What more training data changes",
        sections=[_section(growth, drawing, hrefs) for growth, drawing in pairs],
        attributions=attributions(record for growth, _ in pairs for record in growth.records),
        command=command,
        commit=commit,
    )


def _section(growth: Growth, drawing: Drawing, hrefs: Mapping[str, str]) -> dict[str, Any]:
    record, metric = growth.records[0], metric_of(growth.metric)
    unit = metric.unit_shown(str(record.dataset.get("unit", "")))
    changes = growth.changes()
    return {
        "name": f"{record.study}: {record.dataset.get('name', 'unknown')}",
        "anchor": quote(f"{record.study}-{record.run}", safe=""),
        "sentence": growth.sentence(),
        "figure": figure("image/svg+xml", drawing.svg, drawing.alt),
        "metric": spoken(growth.metric),
        "unit": unit,
        "better": "higher" if metric.higher_is_better else "lower",
        "baseline": growth.arms[0],
        "rows": [f"{rows:,}".replace(",", " ") for rows in growth.rows],
        "differing": ", ".join(growth.differing),
        "runs": [_run(one, hrefs) for one in growth.records],
        "arms": [_arm(growth, arm, changes.get(arm)) for arm in growth.arms],
    }


def _run(record: Record, hrefs: Mapping[str, str]) -> dict[str, str]:
    name = f"{record.study}/{record.run}"
    return {"name": name, "href": f"./{quote(hrefs[name])}" if name in hrefs else ""}


def _arm(growth: Growth, arm: str, change: Change | None) -> dict[str, Any]:
    means = growth.means(arm)
    against: list[Contrast | None] = [*growth.contrasts(arm)] if change else [None] * len(means)
    return {
        "name": arm,
        "cells": [_cell(growth, mean, c) for mean, c in zip(means, against, strict=True)],
        "change": _signed(growth, change.interval.mean, change.interval) if change else "",
        "interval": _bounds(growth, change.interval) if change else "",
        "certain": bool(change and change.certain),
    }


def _cell(growth: Growth, mean: Interval | None, c: Contrast | None) -> dict[str, str]:
    metric = metric_of(growth.metric)
    return {
        "mean": metric.formatted(mean.mean) if mean else "no fit finished",
        "difference": _difference(growth, c) if c else "",
        "verdict": c.verdict if c else "",
    }


def _difference(growth: Growth, c: Contrast) -> str:
    if not isfinite(c.difference):
        return "no pair"
    metric, half = metric_of(growth.metric), (c.high - c.low) / 2
    sign = "+" if c.difference > 0 else ""
    bounds = f" ({metric.digits(c.low, half)} to {metric.digits(c.high, half)})" if isfinite(half) else ""
    return f"{sign}{metric.digits(c.difference, half)}{bounds}"


def _signed(growth: Growth, mean: float, one: Interval) -> str:
    if not isfinite(mean):
        return "not known"
    digits = metric_of(growth.metric).digits(mean, (one.high - one.low) / 2)
    return f"+{digits}" if mean > 0 else digits


def _bounds(growth: Growth, one: Interval) -> str:
    if not isfinite(one.high):
        return ""
    metric, half = metric_of(growth.metric), (one.high - one.low) / 2
    return f"{metric.digits(one.low, half)} to {metric.digits(one.high, half)}"

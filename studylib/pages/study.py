"""The page of one run: the finding, how sure it is, how it was found, and how to find it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import isfinite, isnan
from pathlib import Path
from typing import Any
from urllib.parse import quote

from studylib import compare
from studylib.metrics import OF_TARGET, Metric, metric_of
from studylib.pages import numbers, tuning
from studylib.pages.drawings import Origin
from studylib.pages.layout import page
from studylib.pages.provenance import provenance
from studylib.pages.verdicts import deciding
from studylib.records import Contrast, Record

BESIDE = {"executed notebook": ".ipynb", "record": ".json"}
DECIDING = ("metric", "smallest_effect")
NAMED = 12  # lost fits of one arm that are listed one by one


def study_page(executed: Path, record: Record, *, command: str, commit: str, budget: str = "") -> bytes:
    """Return the page of a run: one HTML file that needs no other.

    Args:
        executed: the run's executed notebook.
        record: the run's record, with its contrasts and its headline.
        command: what makes the page again, as typed.
        commit: of the code that made it.
        budget: what the run costs, in words; nothing is said of it if empty.

    Raises:
        ParameterError: ``executed`` cannot be read, or is no notebook.
    """
    from studylib.pages.body import body

    watched = numbers.watched(record)
    origin = Origin(record.study, record.run, command)
    sections = [("numbers", numbers.TITLE)] * bool(watched) + [("tuning", tuning.TITLE)] * tuning.has(record)
    notebook = body(executed, origin, sections)
    return page(
        "study.html.j2",
        title=notebook.outline.title or record.study,
        name=f"{record.study} / {record.run}",
        files={kind: f"./{quote(record.run, safe='')}{end}" for kind, end in BESIDE.items()},
        record=record,
        facts=_facts(record),
        glance=_glance(record),
        lost=_lost(record),
        notebook=notebook,
        watched=watched,
        tuned=tuning.tuned_of(record, origin),
        provenance=provenance(record, command, commit, budget),
    )


def _facts(record: Record) -> dict[str, str]:
    metric = metric_of(str(record.params["metric"]))
    direction = "higher is better" if metric.higher_is_better else "lower is better"
    effect = metric.amount(float(record.params["smallest_effect"]), _unit(record))
    metric_by, effect_by = (_by_dataset(record, key) for key in DECIDING)
    return {
        "Data": _data(record),
        "Decided by": f"{compare.spoken(str(record.params['metric']))} ({direction}){metric_by}",
        "Smallest effect that matters": f"{effect}{effect_by}",
        "Fits": f"{len(record.fits)}: {len(record.arms)} arms, {record.params['seeds']} seeds each",
    }


def _by_dataset(record: Record, key: str) -> str:
    """Return who chose what arms are judged by, where it was not the study or who ran it."""
    chosen = key in record.dataset.get("decides", ())
    return ", chosen by the dataset, as nobody said another" if chosen else ""


def _data(record: Record) -> str:
    """Return the dataset by its name; of one's own the file first."""
    name, asked = str(record.dataset.get("name", "unknown")), record.params.get("dataset")
    path = asked.get("path") if isinstance(asked, Mapping) else None
    return f"{path} ({name})" if path else name


def _glance(record: Record) -> dict[str, Any] | None:
    """Return the table at the top: the baseline, then each arm with its difference, best first."""
    found = deciding(record)
    if not found:
        return None
    key = str(record.params["metric"])
    metric, means = metric_of(key), compare.arm_means(record, key)
    rows = [_row(c, metric, _mean(metric, means[c.arm])) for c in found]
    return {
        "metric": compare.spoken(key),
        "unit": _unit(record) if metric.unit == OF_TARGET else metric.unit,
        "level": f"{found[0].level * 100:g}",
        "baseline": (
            record.baseline,
            _mean(metric, means[record.baseline]),
            len(record.finished(record.baseline)),
        ),
        "rows": rows,
    }


def _row(contrast: Contrast, metric: Metric, mean: str) -> dict[str, Any]:
    half = (contrast.high - contrast.low) / 2
    known = isfinite(contrast.difference)
    digits = metric.digits(contrast.difference, half) if known else "no pair"
    return {
        "arm": contrast.arm,
        "mean": mean,
        "difference": f"+{digits}" if known and contrast.difference > 0 else digits,
        "interval": f"{metric.digits(contrast.low, half)} to {metric.digits(contrast.high, half)}"
        if isfinite(half)
        else "",
        "verdict": contrast.verdict,
        "pairs": contrast.pairs,
    }


def _mean(metric: Metric, mean: float) -> str:
    return "no fit finished" if isnan(mean) else metric.formatted(mean)


def _unit(record: Record) -> str:
    return str(record.dataset.get("unit", ""))


def _lost(record: Record) -> list[dict[str, Any]]:
    """Return, for each arm and way of ending, the seeds that did not finish and why."""
    lost = record.unfinished()
    ways = Counter((fit.arm, fit.status) for fit in lost)
    return [
        {
            "arm": arm,
            "status": status,
            "count": count,
            "of": sum(fit.arm == arm for fit in record.fits),
            "seeds": [(f.seed, f.reason) for f in lost if (f.arm, f.status) == (arm, status)][:NAMED],
        }
        for (arm, status), count in ways.items()
    ]

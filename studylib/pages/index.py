"""The page over all runs: a card for each, with what it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from studylib.compare import spoken
from studylib.metrics import metric_of
from studylib.pages import strip
from studylib.pages.images import figure
from studylib.pages.layout import page
from studylib.pages.provenance import attributions
from studylib.pages.verdicts import counts, deciding
from studylib.records import Record

if TYPE_CHECKING:
    from markupsafe import Markup

Entry = tuple[Record, str]
BESIDE = {
    "reproductions.html": "published numbers beside ours",
    "sizes.html": "what more training data changes",
    "catalogue.html": "catalogue of techniques",
    "benchmarks.html": "how fast it is, beside its peers",
}
DRAWN = 12  # arms of a study that a card has room for


def index_page(
    entries: Iterable[Entry],
    *,
    questions: Mapping[str, str] | None = None,
    dates: Mapping[str, str] | None = None,
    beside: Iterable[str] = (),
    command: str = "",
    commit: str = "",
) -> bytes:
    """Return the page that links all runs with their headlines.

    Args:
        entries: (record, path of its page relative to the index), in the order of the cards; record and
            notebook stand beside the page.
        questions: what each study asks, by its name.
        dates: on which day a run was made, by the path of its page: a record knows no clock.
        beside: paths of the other pages over many runs, relative to the index.
        command: what makes the pages again, as typed; nothing is said of it if empty.
        commit: of the code that made them.
    """
    cards = [
        _card(record, href)
        | {"question": (questions or {}).get(record.study, ""), "date": (dates or {}).get(href, "")}
        for record, href in entries
    ]
    fits = sum(len(card["record"].fits) for card in cards)
    lost = sum(card["lost"] for card in cards)
    return page(
        "index.html.j2",
        title="Studies of regularization",
        cards=cards,
        fits=fits,
        lost=lost,
        beside=[(BESIDE.get(href, href), _local(href)) for href in beside],
        attributions=attributions(card["record"] for card in cards),
        command=command,
        commit=commit,
    )


def _card(record: Record, href: str) -> dict[str, Any]:
    stem = href.removesuffix(".html")
    return {
        "record": record,
        "name": record.study if record.run == "default" else f"{record.study} / {record.run}",
        "href": _local(href),
        "files": {"notebook": _local(f"{stem}.ipynb"), "record": _local(f"{stem}.json")},
        "counts": counts(deciding(record)),
        "lost": len(record.unfinished()),
        "strip": _strip(record),
    }


def _strip(record: Record) -> dict[str, Any] | None:
    """Return the differences to the baseline, small, with what they are; None without any."""
    key = str(record.params["metric"])
    found = [contrast for contrast in deciding(record) if isfinite(contrast.difference)]
    if not found:
        return None
    metric, drawn = metric_of(key), found[:DRAWN]
    unit = metric.unit_shown(str(record.dataset.get("unit", "")))
    band = float(record.params["smallest_effect"]) * metric.scale
    rows = [
        strip.row(
            c.arm, (c.verdict, c.difference * metric.scale, c.low * metric.scale, c.high * metric.scale)
        )
        for c in drawn
    ]
    named = f"{spoken(key)} ({unit})" if unit else spoken(key)
    return {
        "figure": _figure(rows, band, f"Differences from {strip.short(record.baseline, 40)} in {named}"),
        "named": named,
        "baseline": record.baseline,
        "better": "right" if metric.higher_is_better else "left",
        "level": f"{found[0].level * 100:g}",
        "band": metric.amount(float(record.params["smallest_effect"]), str(record.dataset.get("unit", ""))),
        "hidden": len(found) - len(drawn),
    }


def _figure(rows: list[strip.Row], band: float, title: str) -> Markup:
    told = "; ".join(f"{strip.told(row)}, {row.marks[0].kind}" for row in rows)
    return figure(
        "image/svg+xml", strip.strip(rows, band=band), f"{title}, with intervals, best first: {told}."
    )


def _local(href: str) -> str:
    # "./" keeps a name with a colon from being read as an address elsewhere
    return f"./{quote(href.lstrip('/'), errors='replace')}"

"""The page over all runs: a card for each, with what it found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from studylib.pages.layout import page
from studylib.pages.verdicts import counts, deciding
from studylib.records import Record

Entry = tuple[Record, str]


def index_page(
    entries: Iterable[Entry], *, catalogue: str = "", command: str = "", commit: str = ""
) -> bytes:
    """Return the page that links all runs with their headlines.

    Args:
        entries: (record, path of its page relative to the index), in the order of the cards; record and
            notebook stand beside the page.
        catalogue: path of the page over all techniques, relative to the index; empty if there is none.
        command: what makes the pages again, as typed; nothing is said of it if empty.
        commit: of the code that made them.
    """
    cards = [_card(record, href) for record, href in entries]
    fits = sum(len(card["record"].fits) for card in cards)
    lost = sum(card["lost"] for card in cards)
    return page(
        "index.html.j2",
        title="Studies of regularization",
        cards=cards,
        fits=fits,
        lost=lost,
        catalogue=_local(catalogue) if catalogue else "",
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
    }


def _local(href: str) -> str:
    # "./" keeps a name with a colon from being read as an address elsewhere
    return f"./{quote(href.lstrip('/'))}"

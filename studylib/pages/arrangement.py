"""The cells of a notebook in the order of a page: what was asked, what came out, and what it rests on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from nbformat import NotebookNode

HEADING = re.compile(r"^##[ \t]+(.+?)[ \t#]*$", re.MULTILINE)


@final
@dataclass
class Arrangement:
    """Cells in the order of the page; each stands with the heading that it stood under.

    Attributes:
        question: prose before the first code; ``setup``: the cells after it that show nothing.
        result: also headings of a study's own that follow it.
        rest: method, doubts, provenance, and headings of a study's own that follow these.
    """

    question: list[NotebookNode] = field(default_factory=list)
    setup: list[NotebookNode] = field(default_factory=list)
    result: list[NotebookNode] = field(default_factory=list)
    data: list[NotebookNode] = field(default_factory=list)
    rest: list[NotebookNode] = field(default_factory=list)


def arranged(cells: Iterable[NotebookNode]) -> Arrangement:
    """Return the cells of a notebook where a page has them."""
    found = Arrangement()
    places = {"question": found.question, "result": found.result, "data": found.data}
    places |= dict.fromkeys(("method", "what would change our mind", "provenance"), found.rest)
    place = found.question
    for cell in cells:
        headings = HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
        for heading in headings:
            unknown = place if place is found.result else found.rest
            place = places.get(heading.lower(), unknown)
        place.append(cell)
    _set_up(found)
    return found


def _set_up(found: Arrangement) -> None:
    """Take what follows the first code of the question out of it, if there is nothing in it to see."""
    codes = [k for k, cell in enumerate(found.question) if cell.cell_type == "code"]
    if codes and not any(found.question[k].get("outputs") for k in codes):
        found.setup, found.question = found.question[codes[0] :], found.question[: codes[0]]

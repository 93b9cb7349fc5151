"""What differs between what was written down and what is found again, and how a person sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Literal, final

HEADINGS = ("record", "where", "what", "recorded", "computed", "difference")
WIDTH = 40  # of a column at most: a sentence is shown around the place where it differs

Kind = Literal["number", "words", "picture"]


@final
@dataclass(frozen=True)
class Difference:
    """Something that is not what it was.

    Attributes:
        where: the fit, the contrast, the cell of the notebook or the section of the page.
        what: the name of the number, or the line that it stands in.
        kind: a number, or a word that is as good as one; other words, also those that are missing; a picture.
    """

    where: str
    what: str
    recorded: str
    computed: str
    kind: Kind = "number"

    @property
    def size(self) -> str:
        """Computed − recorded where both are numbers, else nothing."""
        recorded, computed = value(self.recorded), value(self.computed)
        return "" if recorded is None or computed is None else f"{computed - recorded:+.2g}"


def changes(where: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what differs between two mappings, to the last digit."""
    for name in sorted({*before, *after}):
        was, now = (repr(which.get(name)) for which in (before, after))  # as text, nan is equal to nan
        if was != now:
            yield Difference(where, name, was, now)


def value(text: str) -> float | None:
    """Return the number that a text shows, such as ``−0.5`` and ``23.1%``; None if it is something else."""
    try:
        return float(text.replace("−", "-").removesuffix("%"))
    except ValueError:
        return None


def table(found: Mapping[str, Sequence[Difference]]) -> list[str]:
    """Return what differs, by record, as the lines of a table; none if nothing does."""
    rows = [(record, *_row(one)) for record, own in found.items() for one in own]
    if not rows:
        return []
    lines = [HEADINGS, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _row(one: Difference) -> tuple[str, ...]:
    return (one.where, _cut(one.what), *_around(one.recorded, one.computed), one.size)


def _around(recorded: str, computed: str) -> tuple[str, str]:
    if max(len(recorded), len(computed)) <= WIDTH:
        return recorded, computed
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(recorded, computed, strict=False))
    start = max(0, len(list(alike)) - WIDTH // 3)
    dots = "…" if start else ""
    return _cut(dots + recorded[start:]), _cut(dots + computed[start:])


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"

"""A figure with all that a doubter asks of it: its words, its numbers, and how to draw it again."""

from __future__ import annotations

import ast
import csv
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from itertools import count
from typing import final
from urllib.parse import quote

from markupsafe import Markup

from studylib.pages import images, layout, tables

CSV = "text/csv"
NO_DESCRIPTION = "A picture without a description."
SHOWN = 12  # rows of a table in the page; the file has all
WIDEST = 40  # columns
KNOWN = {"figures", "record"}


@final
@dataclass(frozen=True)
class Origin:
    """The run that a page shows, for what is said below its figures.

    Attributes:
        name: of its files, without suffix; they stand beside the page.
        command: what computes it again, as typed.
    """

    study: str
    name: str
    command: str
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def drawing(self, data: Mapping[str, str], kind: str, cell: str, source: str) -> Markup:
        """Return an output of a notebook as a figure.

        Args:
            data: its forms, by media type.
            kind: the form that is the image.
            cell: what the cell is called.
            source: its code.
        """
        words = data.get("text/plain", "").strip()
        said = NO_DESCRIPTION if not words or words.startswith("<") else words
        number = next(self._numbers)
        below = layout.part(
            "again.html.j2",
            numbers=numbers(data.get(CSV, ""), f"{self.study}-{self.name}-{cell}"),
            command=self.command,
            alone=alone(source, self.name),
            number=number,
        )
        return images.figure(kind, data[kind], said, below)


@final
@dataclass(frozen=True)
class Numbers:
    """The table behind a figure.

    Attributes:
        file: its name; ``address``: the whole table in a ``data:`` URL.
        table: its first rows.
        rows: how many it has; ``shown``: how many of them are in ``table``.
    """

    file: str
    address: Markup
    table: Markup
    rows: int
    shown: int


def numbers(text: str, name: str) -> Numbers | None:
    """Return a table for spreadsheets as a part of a page; None if there is none."""
    try:
        header, *rows = csv.reader(StringIO(text))
    except (csv.Error, ValueError):
        return None
    if not header or len(header) > WIDEST or not rows:
        return None
    file = re.sub(r"[^\w-]+", "-", name).strip("-").lower()
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(
        [[_inert(cell) for cell in row] for row in (header, *rows)]
    )
    # safe in an attribute: all but letters, digits and a few harmless signs is written in percent
    address = Markup(f"data:{CSV};charset=utf-8,{quote(buffer.getvalue(), safe=',:;/+()=')}")  # noqa: S704
    return Numbers(
        f"{file}.csv",
        address,
        tables.of_rows(header, rows[:SHOWN], f"Numbers behind {file}"),
        len(rows),
        min(len(rows), SHOWN),
    )


def _inert(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula. Source: OWASP, CSV injection."""
    return f"'{cell}" if re.match(r"[=+\-@\t\r]", cell) and not tables.NUMBER.fullmatch(cell) else cell


def alone(source: str, name: str) -> str:
    """Return a command that draws one figure from the record beside the page, and nothing else.

    Args:
        source: of the cell that draws it.
        name: of the record, without suffix.

    Returns:
        Nothing where the cell draws from more than the record.
    """
    source = source.strip()
    drawn = re.match(r"figures\.draw_(\w+)\(record\b", source)
    if not drawn or not _takes_the_record_alone(source):
        return ""
    record, file = json.dumps(f"{name}.json"), json.dumps(f"{drawn[1]}.svg")
    code = (
        "from pathlib import Path; from studylib import Record, figures; "
        f"record = Record.load(Path({record})); Path({file}).write_text({source}.svg)"
    )
    return shlex.join(["python", "-c", code])


def _takes_the_record_alone(source: str) -> bool:
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return isinstance(tree.body, ast.Call) and names <= KNOWN

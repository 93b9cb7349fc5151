"""Tables that a screen reader can walk and a phone can scroll."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup

from studylib.pages.verdicts import SIGNS, chip

# scrolls by itself, also by keyboard, when it is wider than the page
BOX = Markup('<div class="scroll" role="region" tabindex="0" aria-label="{}">{}</div>')
CELL = Markup("<{tag}>{text}</{tag}>")
DIGITS = r"[-+−]?(\.?\d[\d.,\s]*(e[-+]?\d+)?|inf)"
NUMBER = re.compile(rf"{DIGITS}( to {DIGITS})?(\s?(%|[a-z/]+))?|nan", re.IGNORECASE)


def of_rows(header: Iterable[str], rows: Iterable[Iterable[str]], label: str) -> Markup:
    """Return texts as a table in a box; the first of each row is its heading."""
    head = Markup().join(CELL.format(tag="th", text=name) for name in header)
    body = Markup().join(
        Markup("<tr>{}</tr>").format(
            Markup().join(CELL.format(tag="td" if k else "th", text=cell) for k, cell in enumerate(row))
        )
        for row in rows
    )
    return boxed(
        Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(head, body), label
    )


def boxed(html: Markup, label: str) -> Markup:
    """Return cleaned HTML with each table in a box, headers with scope, columns of numbers aligned."""
    found = re.sub(r"<table>.*?</table>", lambda table: _boxed(table[0], label), html, flags=re.DOTALL)
    return Markup(found)  # noqa: S704  # was clean; only classes, scopes, chips and boxes were added


def _boxed(table: str, label: str) -> str:
    head, end, body = table.rpartition("</thead>")
    head, body = _scoped(_one_header_row(head), "col"), _scoped(body, "row")
    if "span=" not in table:  # with spans there are no columns to count
        head, body = _aligned(head, body)
    verdicts = "|".join(SIGNS)
    body = re.sub(rf"<td>({verdicts})</td>", lambda cell: f"<td>{chip(cell[1])}</td>", body)
    return str(BOX.format(label, Markup(head + end + body)))  # noqa: S704  # as above


def _one_header_row(head: str) -> str:
    """Move the name of the index, which pandas writes in a row of its own, up into the empty corner."""
    rows = _rows(head)
    named = len(rows) == 2 and not rows[0][0][1] and not any(text for _, text in rows[1][1:])
    if not named:
        return head
    before, _, first = head.partition("<tr>")
    first = first[: first.index("</tr>")].replace("<th></th>", f"<th>{rows[1][0][1]}</th>", 1)
    return f"{before}<tr>{first}</tr>"


def _scoped(html: str, scope: str) -> str:
    return re.sub(r"<th(?=[ >])(?![^>]*scope=)", f'<th scope="{scope}"', html)


def _aligned(head: str, body: str) -> tuple[str, str]:
    """Mark every cell of the columns that hold nothing but numbers."""
    rows = _rows(body)
    width = min(map(len, rows), default=0)
    numeric = {k for k in range(width) if _is_numeric([row[k] for row in rows])}
    return _marked(head, numeric), _marked(body, numeric)


def _is_numeric(cells: list[tuple[str, str]]) -> bool:
    texts = [text for tag, text in cells if tag == "td" and text]
    return bool(texts) and all(NUMBER.fullmatch(text) for text in texts)


def _marked(html: str, columns: set[int]) -> str:
    def mark(row: re.Match[str]) -> str:
        cells = re.split(r"(?=<t[dh][ >])", row[0])
        return cells[0] + "".join(
            re.sub(r"^<(t[dh])", r'<\1 class="num"', cell) if k in columns else cell
            for k, cell in enumerate(cells[1:])
        )

    return re.sub(r"<tr>.*?</tr>", mark, html, flags=re.DOTALL)


def _rows(html: str) -> list[list[tuple[str, str]]]:
    """Return (tag, text) of each cell of each row."""
    rows = re.findall(r"<tr>(.*?)</tr>", html, re.DOTALL)
    cells = (re.findall(r"<(t[dh])[^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows)
    return [[(tag, text.strip()) for tag, text in row] for row in cells]

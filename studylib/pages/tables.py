"""Tables that a screen reader can walk and a phone can scroll."""

from __future__ import annotations

import re

from markupsafe import Markup

# scrolls by itself, also by keyboard, when it is wider than the page
BOX = Markup('<div class="scroll" role="region" tabindex="0" aria-label="{}">{}</div>')
NUMBER = re.compile(r"[-+−]?[\d.,\s]*\d(e[-+]?\d+)?\s?(%|points)?|nan|[-−]?inf", re.IGNORECASE)


def boxed(html: Markup, label: str) -> Markup:
    """Return cleaned HTML with each table in a box, headers with their scope, and numbers aligned."""
    found = re.sub(r"<table>.*?</table>", lambda table: _boxed(table[0], label), html, flags=re.DOTALL)
    return Markup(found)  # noqa: S704  # was clean, and only classes, scopes and boxes were added


def _boxed(table: str, label: str) -> str:
    head, end, rest = table.partition("</thead>")
    if not end:
        head, rest = "", table
    body = re.sub(r"<td>([^<]*)</td>", _marked, _scoped(rest, "row"))
    head = _with_numeric_columns(_scoped(head, "col"), body)
    return str(BOX.format(label, Markup(head + end + body)))  # noqa: S704  # as above


def _scoped(html: str, scope: str) -> str:
    return re.sub(r"<th(?=[ >])(?![^>]*scope=)", f'<th scope="{scope}"', html)


def _marked(cell: re.Match[str]) -> str:
    return f'<td class="num">{cell[1]}</td>' if NUMBER.fullmatch(cell[1].strip()) else cell[0]


def _with_numeric_columns(head: str, body: str) -> str:
    """Mark the headers of columns that hold nothing but numbers; spans leave no columns to count."""
    if "span=" in head + body:
        return head
    rows = [re.findall(r"<t[dh][^>]*>", row) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]
    numeric = {k for k in range(min(map(len, rows), default=0)) if all("num" in row[k] for row in rows)}
    places = iter(range(head.count("<th ")))
    return re.sub("<th ", lambda th: '<th class="num" ' if next(places) in numeric else th[0], head)

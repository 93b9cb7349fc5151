"""What may stand in a page although a notebook wrote it: text and its structure, nothing that acts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any, final

import nh3
from markupsafe import Markup

from studylib.pages import formulas

TEXT = {
    *("p", "br", "hr", "div", "span", "blockquote", "pre", "code", "ul", "ol", "li", "dl", "dt", "dd"),
    *("strong", "b", "em", "i", "del", "s", "sub", "sup", "small", "kbd", "mark"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
}
# the style sheet of pandas; names that a page can say
DRESS = re.compile(r"<style scoped>[^<]*</style>")
NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")
HEADINGS = {"h2", "h3", "h4", "h5", "h6"}
CELLS = {"colspan", "rowspan", "scope"}
FORMULA = {"class", "role", "tabindex", "aria-label"}  # of a box that scrolls
# control characters, marks that turn around the words after them, and what is no character at all
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]"
)
PICTURES = 0x2400  # signs for the first 32 characters. Source: The Unicode Standard, Control Pictures


def visible(text: str) -> str:
    """Return a text in which a sign stands for each character that is not to be seen, or not allowed in HTML.

    An arm whose name turns around what follows could otherwise make 2.1 read 1.2.
    """
    return UNSEEN.sub(_sign, text)


def _sign(unseen: re.Match[str]) -> str:
    code = ord(unseen[0])
    if unseen[0].isspace():
        return " "
    if code < ord(" "):
        return chr(PICTURES + code)
    return f"[U+{code:04X}]" if 0x2000 < code < 0x2100 else "\N{REPLACEMENT CHARACTER}"


def encodable(value: Any) -> Any:
    """Return plain data as it is, but for halves of characters, which no file can hold."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, list):
        return [encodable(one) for one in value]
    return {key: encodable(one) for key, one in value.items()} if isinstance(value, dict) else value


def clean_output(html: str) -> Markup:
    """Return the HTML of an output without headings, links, images, styles and scripts."""
    return _clean(html, TEXT, {"th": CELLS, "td": CELLS})


def clean_prose(html: str) -> Markup:
    """Return the HTML of rendered Markdown: with headings and their anchors, and links within the page."""
    attributes = {tag: {"id"} for tag in HEADINGS} | {"a": {"href"}, "th": CELLS, "td": CELLS}
    attributes |= {"span": FORMULA, "div": {"class"}, "code": {"class"}}
    attributes |= dict.fromkeys(formulas.TAGS, formulas.ATTRIBUTES) | {"math": {"alttext", "display"}}
    return _clean(html, TEXT | HEADINGS | {"a"} | formulas.TAGS, attributes)


def foreign(html: str) -> list[str]:
    """Return the names of what ``clean_output`` leaves out, sorted: tags, and attributes that act or fetch.

    The style that pandas puts around a table is none of it: nobody would look for it.
    """
    found = _Foreign()
    found.feed(DRESS.sub("", html))
    found.close()
    return sorted(found.names)


def plain_text(html: str) -> str:
    """Return the text of some HTML, not escaped."""
    return str(Markup(nh3.clean(html, tags=set(), clean_content_tags={"script", "style"})).unescape())  # noqa: S704  # cleaned


@final
class _Foreign(HTMLParser):
    """Collects the names of tags and attributes that no output may have."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TEXT:
            self.names.add(tag if NAME.fullmatch(tag) else "a tag without a name")
        self.names |= {name for name, _ in attrs if name.startswith("on") and NAME.fullmatch(name)}
        self.names |= {name for name, value in attrs if name == "style" and "url(" in (value or "")}


def _clean(html: str, tags: set[str], attributes: dict[str, set[str]]) -> Markup:
    before, cleaned = "", _sieved(html, tags, attributes)
    while cleaned != before:  # where a tag was left out, its neighbours may be read in another way
        before, cleaned = cleaned, _sieved(cleaned, tags, attributes)
    return Markup(cleaned)  # noqa: S704  # this is where it became safe


def _sieved(html: str, tags: set[str], attributes: dict[str, set[str]]) -> str:
    return nh3.clean(
        html,
        tags=tags,
        clean_content_tags={"script", "style"},
        attributes=attributes,
        attribute_filter=_attribute,
        url_schemes=set(),
        link_rel=None,
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if (tag, name) == ("a", "href"):
        return value if re.fullmatch(r"#[\w-]+", value) else None
    if name == "class":
        return value if re.fullmatch(r"[a-z0-9 ]{1,20}", value) else None
    return value

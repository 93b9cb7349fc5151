"""What may stand in a page although a notebook wrote it: text and its structure, nothing that acts."""

from __future__ import annotations

import re

import nh3
from markupsafe import Markup

TEXT = {
    *("p", "br", "hr", "div", "span", "blockquote", "pre", "code", "ul", "ol", "li", "dl", "dt", "dd"),
    *("strong", "b", "em", "i", "del", "s", "sub", "sup", "small", "kbd", "mark"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"),
}
HEADINGS = {"h2", "h3", "h4", "h5", "h6"}
CELLS = {"colspan", "rowspan", "scope"}


def clean_output(html: str) -> Markup:
    """Return the HTML of an output without headings, links, images, styles and scripts."""
    return _clean(html, TEXT, {"th": CELLS, "td": CELLS})


def clean_prose(html: str) -> Markup:
    """Return the HTML of rendered Markdown: with headings and their anchors, and links within the page."""
    attributes = {tag: {"id"} for tag in HEADINGS} | {"a": {"href"}, "th": CELLS, "td": CELLS}
    return _clean(html, TEXT | HEADINGS | {"a"}, attributes | {"span": {"class"}, "div": {"class"}})


def plain_text(html: str) -> str:
    """Return the text of some HTML, not escaped."""
    return str(Markup(nh3.clean(html, tags=set(), clean_content_tags={"script", "style"})).unescape())  # noqa: S704  # cleaned


def _clean(html: str, tags: set[str], attributes: dict[str, set[str]]) -> Markup:
    cleaned = nh3.clean(
        html,
        tags=tags,
        clean_content_tags={"script", "style"},
        attributes=attributes,
        attribute_filter=_attribute,
        url_schemes=set(),
        link_rel=None,
    )
    return Markup(cleaned)  # noqa: S704  # this is where it became safe


def _attribute(tag: str, name: str, value: str) -> str | None:
    if (tag, name) == ("a", "href"):
        return value if re.fullmatch(r"#[\w-]+", value) else None
    if name == "class":
        return value if re.fullmatch(r"[a-z0-9 ]{1,20}", value) else None
    return value

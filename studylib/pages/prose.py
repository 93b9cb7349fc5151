"""Markdown as a reader meets it: one title, headings in order, and nothing that leads off the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, final

from markupsafe import Markup, escape
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from studylib.pages import formulas, tables
from studylib.pages.cleaning import clean_prose, plain_text

# scrolls by itself, also by keyboard, when it is wider than the page
BOX = '<span class="{}" role="region" tabindex="0" aria-label="Formula">{}</span>'
NARROW = 30  # signs of a formula that a phone has room for in a line
OWN_ANCHORS = (
    *("content", "contents", "command", "diagnoses", "differences", "facts", "numbers"),
    *("provenance", "provenance-title"),
)  # of the frame around the notebook


@final
@dataclass
class Outline:
    """The headings of a page, collected while its prose is rendered.

    Attributes:
        title: the first heading of the first level, without markup.
        sections: anchor and text of each heading of the second level.
    """

    title: str = ""
    sections: list[tuple[str, str]] = field(default_factory=list)
    _level: int = 1
    _anchors: list[str] = field(default_factory=lambda: list(OWN_ANCHORS))

    def place(self, text: str, level: int) -> tuple[int, str]:
        """Return level and anchor of a heading: never the first level again, never a level left out."""
        self._level = min(max(2, level), self._level + 1)
        anchor = re.sub(r"\W+", "-", plain_text(text).lower()).strip("-_") or "section"
        seen = sum(re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", known) is not None for known in self._anchors)
        anchor = f"{anchor}-{seen + 1}" if seen else anchor
        self._anchors.append(anchor)
        if self._level == 2:
            self.sections.append((anchor, plain_text(text)))
        return self._level, anchor


def rendered(source: str, outline: Outline) -> Markup:
    """Return Markdown as HTML; its headings are entered into ``outline``."""
    return tables.boxed(clean_prose(MarkdownWithMath(renderer=_Prose(outline)).render(source)), "Table")


@final
class _Prose(IPythonRenderer):
    """HTML in Markdown is shown as text, as are addresses: nothing in a page leads to another host."""

    def __init__(self, outline: Outline) -> None:
        super().__init__(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
        self._outline = outline

    def heading(self, text: str, level: int, **attrs: Any) -> str:  # noqa: ARG002
        if level == 1 and not self._outline.title:
            self._outline.title = plain_text(text)
            return ""
        if not plain_text(text).strip():  # nothing to go to, and nothing to say of it
            return ""
        level, anchor = self._outline.place(text, level)
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002
        if url.startswith("#"):
            return f'<a href="{escape(url)}">{text}</a>'
        shown = str(escape(url))
        return text if plain_text(text) == url else f'{text} (<span class="url">{shown}</span>)'

    def image(self, text: str, url: str, title: str | None = None) -> str:  # noqa: ARG002
        return f"<em>{text}</em>"

    def block_mermaidjs(self, code: str) -> str:
        return f"<pre><code>{escape(code)}</code></pre>"

    def block_math(self, body: str) -> str:
        # where a cell says $$ within a sentence, the formula stands in a line of the sentence
        return BOX.format("formula", formulas.display(body))

    def inline_math(self, body: str) -> str:
        # as Pandoc has it: "$5 and $6" is money
        if body != body.strip():
            return f"${escape(body)}$"
        formula = formulas.inline(body)
        return BOX.format("formula inline", formula) if len(body) > NARROW else str(formula)

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

"""What a reader finds in an executed notebook and in a page, line by line."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import unescape
from html.parser import HTMLParser
from typing import Any, final, get_args

from studylib.errors import ParameterError
from studylib.records import Verdict

INJECTED = "injected-parameters"
# what the foot of a page says of how it was made, and the parameters of the run, which are compared as such
COMMAND = re.compile(r'<pre class="command"><code[^>]*>.*?</code></pre>', re.DOTALL)
BUDGET = re.compile(r'<div class="wide"><dt>What it costs</dt><dd>.*?</dd></div>', re.DOTALL)
MADE = re.compile(r"<div><dt>Made</dt><dd>.*?</dd></div>", re.DOTALL)
COMMIT = re.compile(r"<dt>Commit</dt><dd><code>(.*?)</code></dd>", re.DOTALL)
PARAMETERS = re.compile(
    r'<details class="code"><summary>Parameters of this run</summary>(.*?)</details>', re.DOTALL
)
INLINE = {"a", "b", "code", "del", "em", "i", "kbd", "mark", "s", "small", "span", "strong", "sub", "sup"}
CELLS = {"td", "th"}
UNSEEN = {"head", "script", "style"}
EMPTY = {"br", "hr", "img", "link", "meta"}
# a verdict is as good as a number: it says which side of a limit one is on
BETWEEN = r"\s()\[\]{}<>=|;:,\"'`*"
TOKEN = re.compile(
    rf"[^{BETWEEN}]*\d[^{BETWEEN}]*|\b(?:{'|'.join(get_args(Verdict))}|nan|inf)\b",
)


@final
@dataclass(frozen=True)
class Line:
    """A line of text, or a picture with its description.

    Attributes:
        where: the cell of a notebook; the section of a page.
        picture: a hash of its bytes; empty for text alone.
    """

    where: str
    text: str
    picture: str = ""

    @property
    def numbers(self) -> list[str]:
        """Return the numbers in it, and what is as good as a number, as they are written."""
        return [found.rstrip(".") for found in TOKEN.findall(self.text)]

    @property
    def words(self) -> str:
        """The text with a mark in place of each number."""
        return TOKEN.sub("#", self.text)


@final
@dataclass(frozen=True)
class Reading:
    """What is to be found in a file.

    Attributes:
        sources: of the cells of a notebook.
        parameters: the code that sets those of the run; None if there is none.
        commit: of the code that made a page.
    """

    lines: list[Line]
    sources: list[str] = field(default_factory=list)
    parameters: str | None = None
    commit: str = ""

    @property
    def numbers(self) -> int:
        """How many numbers are to be found."""
        return sum(len(line.numbers) for line in self.lines)


def of_notebook(text: str) -> Reading:
    """Read an executed notebook: the source of its cells, and each form of each output.

    Raises:
        ParameterError: it is no notebook.
    """
    try:
        cells = json.loads(text)["cells"]
        injected = [_joined(cell["source"]) for cell in cells if cell.get("id") == INJECTED]
        others = [cell for cell in cells if cell.get("id") != INJECTED]
        lines = [line for cell in others for line in _of_cell(cell)]
        return Reading(lines, [_joined(cell["source"]) for cell in others], injected[0] if injected else None)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ParameterError(f"expected a notebook, but {type(error).__name__}: {error}.") from None


def of_page(html: str) -> Reading:
    """Read a page: everything that is seen, but for how it was made: by what, when, at what cost."""
    commit, parameters = COMMIT.search(html), PARAMETERS.search(html)
    for unread in (COMMAND, BUDGET, MADE, COMMIT, PARAMETERS):
        html = unread.sub("", html, count=0 if unread is COMMAND else 1)
    code = unescape(re.sub(r"<[^>]*>", "", parameters[1])) if parameters else None
    return Reading(_Seen.lines(html), [], code, unescape(commit[1]) if commit else "")


def assigned(code: str, where: str) -> dict[str, Any]:
    """Return what the code of a cell assigns, without running it.

    Raises:
        ParameterError: it is not Python, or a value is not a literal.
    """
    try:
        nodes = [node for node in ast.parse(code).body if isinstance(node, ast.Assign)]
        return {ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in nodes}
    except (SyntaxError, ValueError) as error:
        raise ParameterError(f"{where}: expected names and values, but {error}.") from None


def _of_cell(cell: Mapping[str, Any]) -> Iterator[Line]:
    where = f"notebook, cell {cell.get('id', '?')}"
    yield from _of_text(where, _joined(cell["source"]))
    for output in cell.get("outputs", ()):
        yield from _of_text(where, _joined(output.get("text", "")))
        yield from _of_text(where, "\n".join(output.get("traceback", ())))
        for form, data in sorted(output.get("data", {}).items()):
            if form.startswith("image/"):
                yield Line(where, f"({form})", _hash(_joined(data)))
            elif form == "text/html":
                yield from (Line(where, line.text, line.picture) for line in _Seen.lines(_joined(data)))
            else:
                yield from _of_text(where, _joined(data))


def _of_text(where: str, text: str) -> Iterator[Line]:
    return (Line(where, " ".join(line.split())) for line in text.splitlines() if line.strip())


def _joined(text: Any) -> str:
    """Return a text that a notebook may hold as a list of lines; JSON, in an output, as JSON is written."""
    return (
        "".join(text) if isinstance(text, list) and all(isinstance(one, str) for one in text) else str(text)
    )


def _hash(data: str) -> str:
    return sha256("".join(data.split()).encode()).hexdigest()[:12]


@final
class _Seen(HTMLParser):
    """Collects the lines of a page, each with the heading that it stands under."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Line] = []
        self._where = "page, top"
        self._text = ""
        self._preformatted = self._unseen = 0
        self._heading = False

    @classmethod
    def lines(cls, html: str) -> list[Line]:
        reader = cls()
        reader.feed(html)
        reader.close()
        reader.end_line()
        return reader.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            told = dict(attrs)
            self.end_line()
            self.found.append(Line(self._where, told.get("alt") or "", _hash(told.get("src") or "")))
        elif tag not in EMPTY:
            self._unseen += tag in UNSEEN
            self._preformatted += tag == "pre"
        self._break(tag)
        self._heading = self._heading or tag in {"h1", "h2", "h3"}

    def handle_endtag(self, tag: str) -> None:
        if tag in {"h1", "h2", "h3"}:
            self._where = f"page, {' '.join(self._text.split()) or 'a heading'}"
        self._break(tag)
        self._unseen -= tag in UNSEEN
        self._preformatted -= tag == "pre"

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        first, *others = data.split("\n") if self._preformatted else [data]
        self._text += first
        for other in others:
            self.end_line()
            self._text = other

    def _break(self, tag: str) -> None:
        if tag in CELLS:
            self._text += " "
        elif tag in INLINE:
            # the code of a cell is a row of spans; an interval in a table is one of its own
            self._text += "" if self._preformatted else " "
        else:
            self.end_line()

    def end_line(self) -> None:
        text = " ".join(self._text.split())
        if text:
            self.found.append(Line(self._where, text))
        self._text = ""

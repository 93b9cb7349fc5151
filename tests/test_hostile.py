"""Whatever a study, an arm, a class, prose or an output is called, a page shows it as text and goes on."""

from __future__ import annotations

import csv
import html
import re
import threading
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import TYPE_CHECKING, Any, final
from urllib.parse import unquote

import html5lib
import pytest
from hostile import ACTIVE, CORPUS, FAMILIES, LONG, SINK
from hostile_pages import TOGETHER, Texts, written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from browser import Chromium

pytest_plugins = ("browser",)
# what the fonts of a figure do not have, they show as a box
pytestmark = pytest.mark.filterwarnings("ignore:Glyph:UserWarning")

HARMLESS = "a harmless name"
GROUPS = {
    f"{family} {start + 1}": list(those.values())[start : start + TOGETHER]
    for family, those in FAMILIES.items()
    for start in range(0, len(those), TOGETHER)
} | {"a long word": [LONG]}
AS_USUAL = 400_000  # bytes of a page; axe-core takes a minute for words of 100 kB
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what begins one. Source: OWASP, CSV injection
HIDDEN = {"Cc", "Cf", "Cs", "Cn", "Co"}
TURNING = r"[\u202a-\u202e\u2066-\u2069]"  # marks that would turn around the words after them, numbers too
FORBIDDEN = {
    *("iframe", "object", "embed", "form", "input", "select", "textarea", "base", "video", "audio", "source"),
    *("svg", "template", "plaintext", "xmp", "marquee", "frameset", "noscript", "picture"),
}
# opens what is folded, points at everything, and looks for what a script would leave behind
POKED = """() => {
    document.querySelectorAll('details').forEach(one => one.open = true);
    for (const one of document.querySelectorAll('body *'))
        for (const kind of ['mouseover', 'focus', 'animationstart'])
            one.dispatchEvent(new Event(kind));
    return [window.acted, {}.acted, document.getElementById('acted')].filter(one => one != undefined);
}"""
LEAD_AWAY = """[...document.querySelectorAll('[href], [src]')].map(one => one.href ?? one.src)
    .filter(to => !/^data:(text\\/csv|image\\/|,)/.test(to))
    .filter(to => !to.startsWith(location.href.replace(/[^/]*$/, '')))"""
BROKEN = "[...document.images].filter(one => !one.naturalWidth).map(one => one.alt.slice(0, 80))"
TWICE = """Object.entries(Object.groupBy(document.querySelectorAll('[id]'), one => one.id))
    .filter(([id, those]) => those.length > 1).map(([id]) => id)"""


@final
@dataclass
class Sink:
    """A server on this machine, and who called it."""

    address: str
    calls: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """A server that answers every call, and writes it down."""
    made = Sink("")

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.calls.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        made.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture(scope="module", params=GROUPS)
def texts(request: pytest.FixtureRequest, sink: Sink) -> Texts:
    """Each group of hostile texts."""
    return tuple(text.replace(SINK, sink.address) for text in GROUPS[request.param])


@pytest.fixture(scope="module")
def pages(texts: Texts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages in which the hostile texts stand everywhere."""
    return written(tmp_path_factory.mktemp("hostile"), texts)


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The parsed pages in which harmless texts stand in the same places."""
    names = tuple(f"{HARMLESS} {k}" for k in range(TOGETHER))
    return {kind: parsed(path) for kind, path in written(tmp_path_factory.mktemp("none"), names).items()}


def parsed(path: Path) -> Any:
    """Return a page as a tree; the parser found nothing wrong with it."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(path.read_text(encoding="utf-8"))
    assert parser.errors == []
    return tree


def count(tree: Any, tag: str) -> int:
    """Return how many tags of that name a page has."""
    return sum(1 for _ in tree.iter(tag))


def headings(tree: Any) -> Counter[str]:
    """Count the headings that do not say what the study is called."""
    texts = ["".join(one.itertext()) for level in ("h1", "h2", "h3") for one in tree.iter(level)]
    return Counter(text.strip() for text in texts if HARMLESS not in text and text != "Survives")


def readable(text: str) -> str:
    """Return what a person can see of a text, with one space wherever there is some."""
    text = re.sub(r"[\u2400-\u2426\ufffd]|\[U\+[0-9A-F]+\]", "", text)  # stand for what cannot be seen
    text = "".join(
        " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in HIDDEN
    )
    return " ".join(text.split())


def test_every_text_stays_text(texts: Texts, pages: dict[str, Path], harmless: dict[str, Any]) -> None:
    """No tag, handler, style or address comes of it; it can be read; headings and tables are all there."""
    for kind, path in pages.items():
        tree, model = parsed(path), harmless[kind]
        tags = {one.tag for one in tree.iter() if isinstance(one.tag, str)}
        attributes = {str(key) for one in tree.iter() for key in one.attrib}
        words = readable("".join(tree.itertext()))

        assert tags & FORBIDDEN <= {one.tag for one in model.iter()}
        assert not [key for key in attributes if key.startswith(("on", "style", "srcdoc", "xlink", "form"))]
        for tag in ("script", "style", "meta", "link", "title", "body", "main", "h1"):
            assert count(tree, tag) == count(model, tag), tag
        assert headings(model) - headings(tree) == {}
        assert [text for text in map(readable, texts) if text[:100] not in words] == []
        assert not re.search(TURNING, path.read_text(encoding="utf-8"))
        survivors = [words.count("survives"), words.count("Survives")]
        assert survivors == ([len(texts)] * 2 if kind == "study" else [0, 0])


def test_no_table_for_a_spreadsheet_computes(pages: dict[str, Path]) -> None:
    """In the files that a page offers no cell begins a formula, whatever an arm is called."""
    found = re.findall(r'href="data:text/csv[^,]*,([^"]*)"', pages["study"].read_text(encoding="utf-8"))
    files = [unquote(html.unescape(file)) for file in found]
    cells = [cell for file in files for row in csv.reader(StringIO(file)) for cell in row]

    assert files
    assert [cell for cell in cells if cell.startswith(FORMULA) and not is_number(cell)] == []


def is_number(cell: str) -> bool:
    """Return whether a cell is a number, also a negative one."""
    return bool(re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", cell))


def test_nothing_acts_in_a_browser(chromium: Chromium, sink: Sink, pages: dict[str, Path]) -> None:
    """No script runs, nothing is asked for or complained of, nobody is led away or shut out."""
    for kind, path in pages.items():
        with chromium.opened(path, width=390) as opened:
            assert opened.evaluate(POKED) == []
            assert opened.evaluate(LEAD_AWAY) == []
            assert opened.evaluate(TWICE) == []
            assert opened.evaluate(BROKEN) == []
            assert opened.sideways() <= 0
            assert opened.stuck() == []
            assert opened.foreign() == []
            assert opened.moves == [opened.page.url]
            assert opened.complaints == []
            if kind == "study" and path.stat().st_size < AS_USUAL:
                assert opened.violations() == ""
    assert sink.calls == []


@pytest.mark.parametrize("name", ACTIVE)
def test_the_corpus_means_harm(chromium: Chromium, sink: Sink, tmp_path: Path, name: str) -> None:
    """In a page that takes text for HTML, each of these is seen to act."""
    (tmp_path / "raw.html").write_text(f"<!doctype html><body>{CORPUS[name].replace(SINK, sink.address)}")
    with chromium.opened(tmp_path / "raw.html") as opened:
        acted = opened.evaluate(POKED)
        opened.page.wait_for_timeout(50)
        signs = [*acted, *opened.foreign(), *opened.moves[1:], *opened.complaints]

    sink.calls.clear()
    assert signs

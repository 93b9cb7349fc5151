"""In a real browser a page asks for nothing, complains of nothing, and everyone can read all of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import html5lib
import pytest
from command_line import made_once, smoke
from imaginary import classification
from over_many import published, sizes
from timings import timings

from studylib import compare
from studylib.compare.sizes import growths
from studylib.figures.growth import draw_growth
from studylib.figures.sizes import draw_sizes
from studylib.figures.speeds import draw_speeds
from studylib.pages import compare_page, reproductions_page, sizes_page, speeds_page

if TYPE_CHECKING:
    from browser import Chromium, Scheme

pytest_plugins = ("browser",)

KINDS = ("vision", "tabular", "index", "compare", "catalogue", "reproductions", "sizes", "speeds")
PHONE, DESK = 390, 1280
SPACED = """document.querySelectorAll('body *').forEach(({style}) =>
    Object.assign(style, {lineHeight: '1.5', letterSpacing: '.12em', wordSpacing: '.16em'}))"""
VNU = Path(sys.prefix, "vnu", "node_modules", "vnu-jar", "build", "dist", "vnu.jar")
# not in the standard, and obeyed: over http a browser would look up the hosts that links lead to
UNKNOWN = "“x-dns-prefetch-control” for attribute “http-equiv”"
# the catalogue describes many techniques in one way: two of each kind stand for all
ALIKE = "document.querySelectorAll('article.technique:nth-of-type(n + 3)').forEach(one => one.remove())"
BAD = """<!doctype html><meta charset=utf-8><img src=http://127.0.0.1:9/pixel.png>
<style>a:focus { outline: none } .seen:focus { outline: 1px solid }</style>
<a class=seen href=#>seen</a><a href=#>unseen</a><a href=#>x</a><p style="color: #eee">pale</p>
<div style="width: 1000px">far</div>
<div style="width: 9em; overflow-x: scroll; white-space: nowrap" tabindex=-1 aria-label=wide>wide<br>
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx</div>
<script>alert("hello"); console.error("trouble"); throw Error("lost")</script>"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Real pages of every kind, by kind."""
    reports = smoke(tmp_path_factory).reports
    comparison = made_once(tmp_path_factory, "comparison", _compare) / "compare.html"
    over = made_once(tmp_path_factory, "over many", _over_many)
    studies = {study: reports / study / "smoke.html" for study in ("vision", "tabular")}
    return {
        **studies,
        "index": reports / "index.html",
        "compare": comparison,
        "catalogue": reports / "catalogue.html",
        "reproductions": over / "reproductions.html",
        "sizes": over / "sizes.html",
        "speeds": over / "benchmarks.html",
    }


def _over_many(folder: Path) -> None:
    told = {"command": "studylib report", "commit": "5e613c0a1b2c"}
    records = [*sizes(), *published()]
    entries = [(record, f"{record.study}/{record.run}.html") for record in records]
    grown = [(one, draw_sizes(one)) for one in growths(records)]
    (folder / "reproductions.html").write_bytes(reproductions_page(entries, **told))
    (folder / "sizes.html").write_bytes(sizes_page(grown, {}, **told))
    table = timings()
    speeds = speeds_page(table, draw_speeds(table), draw_growth(table), **told)
    (folder / "benchmarks.html").write_bytes(speeds)


def _compare(folder: Path) -> None:
    before = classification()
    fits = tuple(
        replace(f, metrics={k: v + 0.002 * f.seed for k, v in f.metrics.items()}) if f.arm == "l2" else f
        for f in before.fits
    )
    after = replace(before, run="later", fits=fits, versions={**before.versions, "torch": "9.9"})
    made = compare_page(compare.changes(before, after), command="studylib compare a b", commit="5e613c0a1b2c")
    (folder / "compare.html").write_bytes(made)


@pytest.fixture(params=KINDS)
def page(request: pytest.FixtureRequest, pages: dict[str, Path]) -> Path:
    """Each kind of page."""
    return pages[request.param]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_page_asks_for_nothing_and_shuts_nobody_out(
    chromium: Chromium, page: Path, width: int, scheme: Scheme
) -> None:
    """With the network open it loads itself alone; the console stays empty, and WCAG 2.2 AA is kept.

    Nothing has to be scrolled sideways but boxes that are made for it, which a keyboard reaches.
    """
    with chromium.opened(page, width=width, scheme=scheme) as opened:
        assert opened.requests[0] == opened.page.url
        assert opened.foreign() == []
        assert opened.moves == [opened.page.url]
        assert opened.sideways() <= 0
        assert opened.stuck() == []
        assert opened.complaints == []
        opened.evaluate(ALIKE)
        assert opened.violations() == ""


def test_large_letters_and_wide_spaces_need_no_scrolling_sideways(chromium: Chromium, page: Path) -> None:
    """At four times the size, and with the spacing that some readers set, a page still fits its window.

    Source: WCAG 2.2, 1.4.10 Reflow and 1.4.12 Text Spacing.
    """
    with chromium.opened(page, width=320) as opened:
        opened.evaluate(SPACED)

        assert opened.sideways() <= 0


def test_every_page_can_be_walked_by_keyboard(chromium: Chromium, page: Path) -> None:
    """Tab leads to every link, fold, button and scrolling box in order, shows where it is, and leads out."""
    with chromium.opened(page, width=PHONE) as opened:
        opened.evaluate(ALIKE)

        assert opened.walked() == opened.reachable()


def test_an_arrow_scrolls_the_table_that_has_the_focus(chromium: Chromium, pages: dict[str, Path]) -> None:
    """What a narrow window cuts off is read without a mouse."""
    with chromium.opened(pages["compare"], width=200) as opened:
        wide = opened.page.locator(".scroll").filter(visible=True).first
        wide.focus()
        opened.page.keyboard.press("ArrowRight")

        opened.page.wait_for_timeout(300)  # it glides

        assert opened.evaluate("document.activeElement.scrollLeft") > 0


def test_the_button_copies_the_command_as_it_stands(chromium: Chromium, pages: dict[str, Path]) -> None:
    """What lands in the clipboard is the text beside the button, to the letter."""
    with chromium.opened(pages["vision"]) as opened:
        opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        button = opened.page.locator("button.copy").filter(visible=True).last
        command = opened.page.locator(f"[id='{button.get_attribute('data-copies')}']").text_content()
        button.click()

        assert opened.evaluate("navigator.clipboard.readText()") == command
        assert button.text_content() == "Copied"
        assert opened.complaints == []


def test_nothing_is_lost_without_scripts(chromium: Chromium, page: Path) -> None:
    """A reader whose browser runs no script reads the very same words."""
    with chromium.opened(page) as opened:
        scripted = opened.words()
    with chromium.opened(page, scripts=False) as opened:
        assert opened.words() == scripted


def test_paper_shows_all_that_the_screen_shows(chromium: Chromium, page: Path) -> None:
    """What is read on the screen is printed, and so is what was folded away, but for code."""
    with chromium.opened(page) as opened:
        opened.evaluate("document.querySelectorAll('details.code').forEach(one => one.remove())")
        opened.page.emulate_media(media="print")
        printed = opened.words()
        opened.page.emulate_media(media="screen")
        opened.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")

        assert opened.words() - printed == {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_parser_finds_nothing_wrong(pages: dict[str, Path], kind: str) -> None:
    """The HTML of a page has none of the errors that the standard names for parsers."""
    parser = html5lib.HTMLParser()
    parser.parse(pages[kind].read_text(encoding="utf-8"))

    assert parser.errors == []


def test_the_validator_of_the_w3c_finds_no_error(pages: dict[str, Path]) -> None:
    """The Nu HTML checker passes every page."""
    done = subprocess.run(
        [*checker(), "--format", "json", "--stdout", *map(str, pages.values())],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["messages"]

    errors = [f"{m['url']}: {m['message']}" for m in found if m["type"] != "info"]

    assert [error for error in errors if UNKNOWN not in error] == []


def checker() -> list[str]:
    """Return the command of the Nu HTML checker."""
    java, program = shutil.which("java"), shutil.which("vnu")
    if program:
        return [program]
    if java and VNU.is_file():
        return [java, "-Xss4m", "-XX:TieredStopAtLevel=1", "-jar", str(VNU)]
    pytest.skip(f"needs the Nu HTML checker: `vnu`, or Java and {VNU} as .ci/run installs it")


def test_a_bad_page_is_seen_to_be_bad(chromium: Chromium, tmp_path: Path) -> None:
    """Each thing that these tests find absent is found where it is."""
    bad = tmp_path / "bad.html"
    bad.write_text(BAD)
    with chromium.opened(bad, width=PHONE) as opened:
        walked, reachable = opened.walked(), opened.reachable()

        assert opened.foreign() == ["http://127.0.0.1:9/pixel.png"]
        assert opened.moves == [opened.page.url, "dialog hello"]
        assert opened.sideways() == 1000 + 8 - PHONE
        assert opened.stuck() == ["DIV wide"]
        assert {line.split(":")[0] for line in opened.violations().splitlines()} == {
            *("color-contrast", "document-title", "html-has-lang", "image-alt"),
            "scrollable-region-focusable",
        }
        assert sorted(line.split(":")[0] for line in opened.complaints) == ["error", "error", "lost"]
        assert "A seen" in walked
        assert "A unseen" in reachable
        assert "A unseen" not in walked

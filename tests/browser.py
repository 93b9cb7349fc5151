"""Pages in a real browser: what they ask for, what they complain of, and what a person can do with them.

Playwright drives the Chromium that is installed; where there is none, the tests that need it are skipped.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, final

import pytest

from studylib.browser import program
from studylib.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

# the browser's own traffic is not the page's; Playwright adds a fresh profile, and no sandbox, as root needs
FLAGS = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
# WCAG 2.2, level AA: what came with each version still holds. https://www.w3.org/TR/WCAG22/
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
# what Tab has to reach, in the order of the page
REACHABLE = """[...document.querySelectorAll('a[href], button, summary, input, select, [tabindex="0"]')]
    .filter(one => one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}))"""
SCROLLING = """[...document.querySelectorAll('body *')].filter(one =>
    one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX))"""
LABEL = "one => one.tagName === 'PRE' || one.getAttribute('aria-label')"
AIDS = "nav, .skip, button"
NAMED = "one => `${one.tagName} ${one.getAttribute('aria-label') ?? one.textContent.trim().slice(0, 60)}`"

Scheme = Literal["light", "dark"]


@final
@dataclass(frozen=True)
class Opened:
    """A page that is open.

    Attributes:
        requests: the address of everything that it asked for, itself and ``data:`` included.
        complaints: errors and warnings of its console, errors that nothing caught.
        moves: dialogs, windows, downloads, and every address that its frames went to.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)

    def evaluate(self, expression: str) -> Any:
        """Return what JavaScript makes of an expression, past the page's policy."""
        return self.page.evaluate(expression)

    def foreign(self) -> list[str]:
        """Return the requests that were for anything but the page and what it holds."""
        return [url for url in self.requests if url != self.page.url and not url.startswith("data:")]

    def violations(self) -> str:
        """Return a line for each rule of WCAG 2.2 AA that axe-core finds broken, with the places."""
        from axe_playwright_python.sync_playwright import Axe

        rules = {"runOnly": WCAG, "resultTypes": ["violations"]}
        found = Axe().run(self.page, options=rules).response["violations"]
        return "\n".join(f"{one['id']}: {[n['html'][:200] for n in one['nodes'][:3]]}" for one in found)

    def sideways(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        wider = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.evaluate(wider))

    def reachable(self) -> list[str]:
        """Return what Tab has to reach, by name."""
        return list(self.evaluate(f"{REACHABLE}.map({NAMED})"))

    def walked(self) -> list[str]:
        """Press Tab once more than there are things to reach; return what took the focus and showed it."""
        self.evaluate(f"""window.walk = []; addEventListener('focusin', ({{target}}) =>
            getComputedStyle(target).outlineStyle === 'none' || window.walk.push(({NAMED})(target)))""")
        for _ in range(len(self.reachable()) + 1):
            self.page.keyboard.press("Tab")
        return list(self.evaluate("window.walk"))

    def stuck(self) -> list[str]:
        """Return the boxes that scroll sideways and that a keyboard does not reach, or that have no name."""
        return list(
            self.evaluate(f"{SCROLLING}.filter(one => one.tabIndex < 0 || !({LABEL})(one)).map({NAMED})")
        )

    def words(self) -> Counter[str]:
        """Count the words that can be read now, without those that only lead elsewhere on the page."""
        self.evaluate(f"document.querySelectorAll('{AIDS}').forEach(one => one.remove())")
        return Counter(self.page.inner_text("body").split())


@final
class Chromium:
    """A running browser, in which every page is opened as in a fresh profile."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    @contextmanager
    def opened(
        self, page: Path, *, width: int = 1280, scheme: Scheme = "light", scripts: bool = True
    ) -> Iterator[Opened]:
        """Open a file in a window of ``width`` pixels, for a reader who wants it light or dark."""
        context = self._browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        try:
            opened = _watched(context.new_page())
            opened.page.goto(page.as_uri())
            yield opened
        finally:
            context.close()


def _watched(page: Page) -> Opened:
    """Write down all that a page does, as the DevTools tell it."""
    opened = Opened(page)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.requestWillBeSent", lambda event: opened.requests.append(event["request"]["url"]))
    network.on("Network.webSocketCreated", lambda event: opened.requests.append(event["url"]))
    page.on("console", lambda said: opened.complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("crash", lambda _: opened.complaints.append("crashed"))
    page.on("download", lambda download: opened.moves.append(f"download {download.url}"))
    page.on("popup", lambda window: opened.moves.append(f"window {window.url}"))
    page.on("framenavigated", lambda frame: opened.moves.append(frame.url))

    def refused(dialog: Any) -> None:
        opened.moves.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.on("dialog", refused)
    return opened


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """The browser that is installed, for the tests of one module.

    Not for the session: while it runs, Playwright keeps an event loop in this thread, and tests elsewhere
    have their own.
    """
    try:
        installed = program()
    except ParameterError as missing:
        pytest.skip(str(missing))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        yield Chromium(browser)
        browser.close()

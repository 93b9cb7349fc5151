"""Each page under reports/: how long it takes to make, how large it is, and when a browser paints it.

The notebooks are there already: what is timed is all that a page takes besides them. Sizes stand beside
those of nbconvert's own page of the same notebook. Where there is Chromium, it opens each page in a fresh
profile, from the disk.
"""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter

from studylib import browser, places
from studylib.errors import ParameterError
from studylib.records import Record

ROUNDS = 5
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main() -> None:
    """Print each figure beside what it should reach."""
    found = [path for path in sorted((places.project() / "reports").glob("*/*.json")) if _is_whole(path)]
    if not found:
        print("no run under reports/ has its notebook and page beside it; make report first")
        return
    for path in found:
        _made(path)
    pages = [*(places.project() / "reports").glob("*.html"), *(path.with_suffix(".html") for path in found)]
    for page in pages[: -len(found)]:
        print(f"{page.stem}: {page.stat().st_size / 1e3:.0f} kB")
    print(f"all {len(pages)} pages: {sum(page.stat().st_size for page in pages) / 1e6:.2f} MB (at most 2)")
    _painted(pages)


def _is_whole(record: Path) -> bool:
    return all(record.with_suffix(suffix).is_file() for suffix in (".ipynb", ".html"))


def _made(path: Path) -> None:
    from nbconvert import HTMLExporter

    from studylib import pages

    record, notebook = Record.load(path), path.with_suffix(".ipynb")
    size, seconds = 0, []
    for _ in range(1 + ROUNDS):  # the first one imports
        start = perf_counter()
        size = len(pages.study_page(notebook, record, command="", commit=""))
        seconds.append(perf_counter() - start)
    usual, _ = HTMLExporter().from_filename(str(notebook))
    share = size / len(usual.encode())
    name = f"{record.study}/{record.run}"
    print(f"{name}: made in {median(seconds[1:]):.2f} s (at most 0.5), {seconds[0]:.2f} s with imports")
    print(f"{name}: {size / 1e3:.0f} kB (at most 400), {share:.2f} of nbconvert's page (at most 0.33)")


def _painted(pages: list[Path]) -> None:
    try:
        program = browser.program()
    except ParameterError as missing:
        print(f"first paint: {missing}")
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=browser.FLAGS[1:])
        for page in pages:
            times = []
            for _ in range(ROUNDS):
                context = chromium.new_context()
                tab = context.new_page()
                tab.goto(page.absolute().as_uri())
                while not tab.evaluate(FIRST_PAINT):
                    tab.wait_for_timeout(10)
                times.append(tab.evaluate(FIRST_PAINT))
                context.close()
            print(f"{page.parent.name}/{page.stem}: first paint {median(times):.0f} ms (at most 300)")
        chromium.close()

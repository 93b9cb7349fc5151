"""Pages beside the index: published numbers beside ours, what more data change, and how fast it all is."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from studylib import editions, fingerprints, locks, plan, publishing, runs, speeds
from studylib.claims.outcomes import SUITES
from studylib.compare import sizes
from studylib.editions import Editions
from studylib.errors import ParameterError
from studylib.pool import Pool
from studylib.records import Record, write_whole
from studylib.speeds import Speeds

if TYPE_CHECKING:
    from studylib.compare.sizes import Growth
    from studylib.figures.picture import Picture

Drawers = Callable[[], AbstractContextManager[Pool]]
PACKAGES = ("jinja2", "latex2mathml", "matplotlib")


def write(out: Path, drawers: Drawers) -> list[Path]:
    """Write what there is something to say in: ``reproductions.html``, ``sizes.html``; return their paths.

    A page is left as it is if it shows these very records already, and goes when nothing is left for it.
    """
    found = {path: record for path in _paths(out) for record in _readable(path)}
    written = [page for page in (_reproductions(out, found), _sizes(out, found, drawers)) if page]
    publishing.index(out)
    return written


def benchmarks(out: Path, drawers: Drawers) -> None:
    """Write ``benchmarks.html`` from what was measured before, and link it from the index.

    It is left as it is if it shows just that already, and goes where nothing was measured.

    Raises:
        ParameterError: what is kept is no table of speeds.
    """
    from studylib import pages

    page, kept = out / publishing.BENCHMARKS, speeds.kept()

    def make() -> bytes:
        table = Speeds.load(kept)
        with drawers() as pool:
            ratios, growth = pool.submit(_drawn_speeds, table).result()
        told = {"command": publishing.COMMAND, "commit": publishing.commit()}
        return pages.speeds_page(table, ratios, growth, **told)

    if kept.is_file():
        _kept(page, [kept], make)
    else:
        page.unlink(missing_ok=True)
    publishing.index(out)


def _paths(out: Path) -> list[Path]:
    """Return the records under ``out`` that have a page, but for smoke runs, which find nothing."""
    every = [path for path in sorted(out.glob("*/*.json")) if path.with_suffix(".html").is_file()]
    return [path for path in every if runs.suite_of(path.stem) != sizes.LEFT_OUT]


def _readable(path: Path) -> Iterator[Record]:
    try:
        yield Record.load(path)
    except ParameterError:  # something else, or of another format
        return


def _reproductions(out: Path, found: Mapping[Path, Record]) -> Path | None:
    from studylib import pages

    page = out / publishing.REPRODUCTIONS
    shown = {path: record for path, record in found.items() if runs.suite_of(record.run) in SUITES}
    if not shown:
        page.unlink(missing_ok=True)
        return None

    def make() -> bytes:
        entries = [(record, _href(path, out)) for path, record in shown.items()]
        return pages.reproductions_page(entries, command=publishing.COMMAND, commit=publishing.commit())

    return _kept(page, list(shown), make)


def _sizes(out: Path, found: Mapping[Path, Record], drawers: Drawers) -> Path | None:
    from studylib import pages

    page = out / publishing.SIZES
    grown = sizes.growths(found.values())
    if not grown:
        page.unlink(missing_ok=True)
        return None
    shown = {f"{record.study}/{record.run}": path for path, record in found.items()}
    own = [shown[f"{record.study}/{record.run}"] for one in grown for record in one.records]

    def make() -> bytes:
        with drawers() as pool:
            pictures = list(pool.map(_drawn, grown))
        hrefs = {name: _href(path, out) for name, path in shown.items()}
        told = {"command": publishing.COMMAND, "commit": publishing.commit()}
        return pages.sizes_page(zip(grown, pictures, strict=True), hrefs, **told)

    return _kept(page, own, make)


def _drawn(growth: Growth) -> Picture:
    from studylib.figures.sizes import draw_sizes

    return draw_sizes(growth)


def _drawn_speeds(table: Speeds) -> tuple[Picture, Picture]:
    from studylib.figures.growth import draw_growth
    from studylib.figures.speeds import draw_speeds

    return draw_speeds(table), draw_growth(table)


def _href(record: Path, out: Path) -> str:
    return record.with_suffix(".html").relative_to(out).as_posix()


def _kept(page: Path, records: Sequence[Path], make: Callable[[], bytes]) -> Path:
    with locks.awaited(page):
        versions = [platform.python_version(), plan.versions(), {name: version(name) for name in PACKAGES}]
        made_from = {str(path): editions.seal_of(path) for path in records} | {
            "code": fingerprints.of_package(),
            "versions": editions.seal(versions),
        }
        known = Editions()
        before = known.get(page)
        if before is None or before.why_not(made_from):
            write_whole(page, make())
            known.put(page, editions.edition_of(made_from, [page]))
    return page

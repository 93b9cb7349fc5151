"""Pages: a run's notebook, executed to show its record, and the page of it; the index over all of them."""

from __future__ import annotations

import platform
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from traceback import format_exc
from typing import TYPE_CHECKING

from studylib import editions, fingerprints, locks, notebooks, places, plan, regularizers, sources, study
from studylib.datasets.docstrings import LIBRARIES
from studylib.editions import Editions
from studylib.errors import ParameterError, StudyError
from studylib.pool import Pool
from studylib.records import Record, write_whole
from studylib.runs import Request

if TYPE_CHECKING:
    from studylib.figures.picture import Picture

# what a page needs, imported once for all of them
DRAWING = (
    *notebooks.WARM,
    "nbconvert",
    "seaborn",
    "sklearn.datasets",  # half of the studies have their data from there
    "studylib.study",
    "studylib.compare",
    "studylib.figures.style",
    "studylib.pages.body",
)
CATALOGUE, REPRODUCTIONS, SIZES = "catalogue.html", "reproductions.html", "sizes.html"
BENCHMARKS = "benchmarks.html"
COMMAND = "studylib report"  # makes the pages over all runs again
CATALOGUE_PACKAGES = ("jinja2", "latex2mathml", *LIBRARIES.values())  # which the pictures are of, too


def published(requests: Sequence[Request], out: Path, drawers: Pool) -> list[str]:
    """Make notebook and page of each run from its record; return, for each, why there is no page.

    As many notebooks as there are ``drawers`` are driven at a time, from here, for their processes to be
    forked from the server that is warm already; pages are rendered by ``drawers``.
    """
    futures = [Future[str]() for _ in requests]
    waiting = deque(zip(requests, futures, strict=True))

    def work() -> None:
        with suppress(IndexError):  # nothing is left
            while True:
                request, future = waiting.popleft()
                future.set_result(_publish(request, out, drawers))

    for _ in range(drawers.width):
        # who is interrupted does not wait for these: the processes that they drive end with this one
        Thread(target=work, daemon=True).start()
    return [future.result() for future in futures]


def _publish(request: Request, out: Path, drawers: Pool) -> str:
    """Execute the run's notebook and write its page; return what went wrong, or nothing."""
    executed, record = request.path(out, ".ipynb"), request.path(out, ".json")
    try:
        source = sources.notebook(request.params.study)
        shown = {study.RECORD: str(record.absolute())}
        notebooks.execute(source, executed, request.params.tree, environment=shown)
        said = (request.command, commit(), request.params.budget)
        page = drawers.submit(_page, executed, record, *said).result()
        write_whole(request.path(out, ".html"), page)
    except StudyError as error:
        return str(error)
    except OSError as error:  # a full disk, a folder that went away
        return f"{error.filename or executed}: {error.strerror or error}"
    except Exception:  # noqa: BLE001  a mistake of ours in one page does not cost the others theirs
        return f"{executed}: {format_exc()}"
    return ""


def _page(executed: Path, record: Path, command: str, commit: str, budget: str) -> bytes:
    from studylib import pages

    return pages.study_page(executed, Record.load(record), command=command, commit=commit, budget=budget)


def index(out: Path) -> Path:
    """Write ``index.html`` over every record under ``out`` that has a page; return its path.

    It is left as it is if it shows these very records already.
    """
    page = out / "index.html"
    with locks.awaited(page):  # a list made before another run had ended must not replace a later one
        records = [path for path in sorted(out.glob("*/*.json")) if path.with_suffix(".html").is_file()]
        known = Editions()
        made_from = {str(path): f"{editions.seal_of(path)} {_day(path)}" for path in records} | {
            "code": fingerprints.of_package(),
            "beside it": " ".join(_beside(out)),
        }
        before = known.get(page)
        if before is None or before.why_not(made_from):
            _write_index(page, records)
            known.put(page, editions.edition_of(made_from, [page]))
    return page


def _write_index(page: Path, records: Sequence[Path]) -> None:
    write_whole(page, index_over(records, page.parent, _beside(page.parent)))


def _beside(out: Path) -> list[str]:
    """Return the pages over many runs that stand beside the index."""
    return [name for name in (REPRODUCTIONS, SIZES, CATALOGUE, BENCHMARKS) if (out / name).is_file()]


def index_over(paths: Sequence[Path], folder: Path, beside: Sequence[str] = ()) -> bytes:
    """Return the index over the records at ``paths``, whose pages stand beside them.

    Args:
        paths: records; what is none, or of another format, is left out.
        folder: that the links of the index start from.
        beside: the other pages over many runs that are there.
    """
    from studylib import pages

    shown = {path: record for path in paths for record in _readable(path)}
    order = sorted(shown, key=lambda path: (shown[path].study, shown[path].run != "default", shown[path].run))
    hrefs = {path: path.with_suffix(".html").relative_to(folder).as_posix() for path in order}
    return pages.index_page(
        [(shown[path], hrefs[path]) for path in order],
        questions={name: sources.title(sources.notebook(name)) for name in sources.studies()},
        dates={hrefs[path]: _day(path) for path in order},
        beside=beside,
        command=COMMAND,
        commit=commit(),
    )


def _day(record: Path) -> str:
    """Return the day on which the report of a record was begun; empty if that is not known here."""
    edition = Editions().get(record)
    return edition.made if edition else ""


def _readable(path: Path) -> list[Record]:
    """Return the record in ``path``; nothing if it is something else, or of another format."""
    try:
        return [Record.load(path)]
    except ParameterError:
        return []


def catalogue(out: Path, drawers: Callable[[], AbstractContextManager[Pool]]) -> None:
    """Write ``catalogue.html`` over all techniques to ``out``, and link it from the index.

    It is left as it is if it was made from this very code.

    Raises:
        StudyError: a technique cannot be drawn, or lacks what the page says of each.
    """
    page = _catalogue(out)
    with locks.awaited(page):
        versions = {name: version(name) for name in CATALOGUE_PACKAGES}
        made_from = {
            "code": fingerprints.of_package(),
            "versions": editions.seal([platform.python_version(), plan.versions(), versions]),
        }
        known = Editions()
        before = known.get(page)
        if before is None or before.why_not(made_from):
            with drawers() as pool:
                _write_catalogue(page, pool)
            known.put(page, editions.edition_of(made_from, [page]))
    index(out)


def _catalogue(out: Path) -> Path:
    return out / CATALOGUE


def _write_catalogue(page: Path, pool: Pool) -> None:
    from studylib import pages

    names = list(regularizers.CATALOGUE)
    try:
        pictures = dict(zip(names, pool.map(_drawn, names), strict=True))
        made = pages.catalogue_page(pictures, command=COMMAND, commit=commit())
    except StudyError:
        raise
    except Exception:  # noqa: BLE001  whatever it was, the pages of the studies are there
        raise StudyError(f"{page}: {format_exc()}") from None
    write_whole(page, made)


def _drawn(name: str) -> Picture:
    from studylib.figures.technique import draw_technique

    return draw_technique(regularizers.CATALOGUE.example(name))


@cache
def commit() -> str:
    """Return the project's git commit, marked if files differ from it; "unknown" outside git."""
    try:
        head, changes = _git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + (" with uncommitted changes" if changes else "")


def _git(*words: str) -> str:
    git = ["git", "-C", str(places.project()), *words]
    return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()

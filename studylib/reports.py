"""A run's three files, for machines, analysts and everyone: record, notebook and page; and the index."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from traceback import format_exc
from typing import final

from studylib import compare, executors, places, plan, sources, study
from studylib.errors import ParameterError, StudyError
from studylib.plan import FitSpec
from studylib.records import Record, write_whole
from studylib.runs import Request
from studylib.store import Result, Store

Watch = Callable[[int], AbstractContextManager[Callable[[FitSpec, Result], None]]]


@final
@dataclass(frozen=True)
class Report:
    """A run that is done.

    Attributes:
        seconds: sum of the pure training seconds of its fits, whenever they were computed.
        error: why there is no page; empty if there is one.
    """

    record: Record
    page: Path
    seconds: float
    error: str


def make(requests: Sequence[Request], out: Path, workers: int | None, watch: Watch) -> list[Report]:
    """Compute what is missing for all runs at once, then write record, notebook and page of each.

    Raises:
        ParameterError: ``out`` or the store cannot be written to, or there is no such device; nothing was
            computed.
        StudyError: a dataset cannot be built.
    """
    for request in requests:
        places.refuse_unwritable(request.path(out, "").parent, "Name another folder with --out.")
    store = Store()
    store.refuse_unwritable()
    with executors.local(workers) as pool:
        plans = study.planned([request.params for request in requests], pool)
        todo = study.missing(plans, store)
        with watch(len(todo)) as progress:
            unkept = study.computed(todo, store, pool, progress)
    records = [compare.concluded(study.recorded(one, store, unkept)) for one in plans]
    for request, record in zip(requests, records, strict=True):
        for suffix in (".html", ".ipynb"):
            request.path(out, suffix).unlink(missing_ok=True)  # an older page beside a newer record would lie
        record.save(request.path(out, ".json"))
    errors = _published(requests, out, workers)
    index(out)
    return [
        Report(record, request.path(out, ".html"), study.seconds(one, store), error)
        for request, record, one, error in zip(requests, records, plans, errors, strict=True)
    ]


def _published(requests: Sequence[Request], out: Path, workers: int | None) -> list[str]:
    # a notebook changes its process's folder and environment, so each is driven from a process of its own
    try:
        with ProcessPoolExecutor(workers or executors.cores(), mp_context=get_context("spawn")) as pool:
            return list(pool.map(partial(_publish, out=out, code=plan.code_hash()), requests))
    except BrokenProcessPool:
        raise StudyError(f"{out}: a notebook was not finished: {executors.DIED}.") from None


def _publish(request: Request, out: Path, code: str) -> str:
    """Execute the run's notebook and write its page; return what went wrong, or nothing."""
    from studylib import notebooks, pages

    executed = request.path(out, ".ipynb")
    try:
        record = Record.load(request.path(out, ".json"))
        _refuse_other_numbers(record, code, executed)
        notebooks.execute(sources.notebook(request.params.study), executed, request.params.tree)
        page = pages.study_page(executed, record, command=request.command, commit=commit())
        write_whole(request.path(out, ".html"), page)
    except StudyError as error:
        return str(error)
    except Exception:  # noqa: BLE001  a mistake of ours in one page does not cost the others theirs
        return f"{executed}: {format_exc()}"
    return ""


def _refuse_other_numbers(record: Record, code: str, executed: Path) -> None:
    """Refuse to execute a notebook that would compute fits anew, and so tell another story."""
    if plan.code_hash() != code:
        raise StudyError(f"{executed}: the code that decides numbers changed meanwhile. Report again.")
    killed = sum(fit.status == "killed" for fit in record.fits)
    if killed:
        raise StudyError(
            f"{executed}: not made, for {killed} fits were killed. Report again to compute them."
        )


def index(out: Path) -> Path:
    """Write ``index.html`` over every record under ``out`` that has a page; return its path."""
    from studylib import pages

    pages_found = [path for path in sorted(out.glob("*/*.html")) if path.with_suffix(".json").is_file()]
    entries = [
        (record, path.relative_to(out).as_posix())
        for path in pages_found
        for record in _readable(path.with_suffix(".json"))
    ]
    write_whole(out / "index.html", pages.index_page(entries, command="studylib report", commit=commit()))
    return out / "index.html"


def _readable(path: Path) -> list[Record]:
    """Return the record in ``path``; nothing if it is something else, or of another format."""
    try:
        return [Record.load(path)]
    except ParameterError:
        return []


def summary(done: Sequence[Report], out: Path) -> list[str]:
    """Return the lines that a report ends with: a headline per study, then the pages."""
    lines = []
    for one in done:
        fits = len(one.record.fits)
        title = f"{one.record.study}/{one.record.run}: {fits} fits, {one.seconds:.0f} s of training"
        lines += [title, f"  {one.record.headline}"]
    total = sum(one.seconds for one in done)
    lines.append(f"{sum(len(one.record.fits) for one in done)} fits, {total:.0f} s of pure training")
    return [*lines, *(str(one.page) for one in done if not one.error), str(out / "index.html")]


def failures(done: Sequence[Report]) -> list[str]:
    """Return a line for every fit that did not end well and every page that could not be made."""
    return [
        line
        for one in done
        for line in (
            *(
                f"{one.record.study}/{one.record.run}: {fit.arm}, seed {fit.seed}, {fit.status}: {fit.reason}"
                for fit in one.record.unfinished()
            ),
            *([one.error] if one.error else []),
        )
    ]


def compared(before: Path, after: Path, out: Path | None) -> tuple[list[str], Path]:
    """Write the page of what changed between two records; return the same in lines, and the page's path.

    Raises:
        ParameterError: a file that is no record, or two records that cannot be compared.
    """
    from studylib import pages

    first, second = Record.load(before), Record.load(after)
    changes = compare.changes(first, second)
    page = out or _beside(after, first, second)
    places.refuse_unwritable(page.parent, "Name another file with --out.")
    command = shlex.join(["studylib", "compare", str(before), str(after)])
    write_whole(page, pages.compare_page(changes, command=command, commit=commit()))
    return changes.lines(), page


def _beside(after: Path, *records: Record) -> Path:
    """Return the path of a comparison: beside the index, or beside a record that is not among reports."""
    name = "-".join(["compare", *(f"{record.study}-{record.run}" for record in records)])
    among_reports = after.absolute().parent.name == records[-1].study
    return (after.absolute().parent.parent if among_reports else after.parent) / f"{name}.html"


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

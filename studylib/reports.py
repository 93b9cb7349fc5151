"""A run's three files: the record for machines, the notebook for analysts, the page for everyone; and the index."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
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
        ParameterError: ``out`` cannot be written; nothing was started.
    """
    _refuse_unwritable(out)
    store = Store()
    with executors.local(workers) as pool:
        plans = study.planned([request.params for request in requests], pool)
        todo = study.missing(plans, store)
        with watch(len(todo)) as progress:
            unkept = study.computed(todo, store, pool, progress)
    records = [compare.concluded(study.recorded(one, store, unkept)) for one in plans]
    for request, record in zip(requests, records, strict=True):
        record.save(request.path(out, ".json"))
    errors = _published(requests, out)
    index(out)
    return [
        Report(record, request.path(out, ".html"), study.seconds(one, store), error)
        for request, record, one, error in zip(requests, records, plans, errors, strict=True)
    ]


def _published(requests: Sequence[Request], out: Path) -> list[str]:
    # a notebook changes its process's folder and environment, so each is driven from a process of its own
    with ProcessPoolExecutor(executors.cores(), mp_context=get_context("spawn")) as pool:
        return list(pool.map(partial(_publish, out=out, code=plan.code_hash()), requests))


def _publish(request: Request, out: Path, code: str) -> str:
    """Execute the run's notebook and write its page; return what went wrong, or nothing."""
    from studylib import notebooks, pages

    executed = request.path(out, ".ipynb")
    try:
        if plan.code_hash() != code:
            raise StudyError(f"{executed}: code that decides numbers changed meanwhile. Make the report again.")
        notebooks.execute(sources.notebook(request.params.study), executed, request.params.tree)
        record = Record.load(request.path(out, ".json"))
        page = pages.study_page(executed, record, command=request.command, commit=commit())
        write_whole(request.path(out, ".html"), page)
    except StudyError as error:
        request.path(out, ".html").unlink(missing_ok=True)  # an older page beside a newer record would lie
        return str(error)
    return ""


def index(out: Path) -> Path:
    """Write ``index.html`` over every record under ``out`` that has a page; return its path."""
    from studylib import pages

    entries = [
        (Record.load(path), path.with_suffix(".html").relative_to(out).as_posix())
        for path in sorted(out.glob("*/*.json"))
        if path.with_suffix(".html").exists()
    ]
    write_whole(out / "index.html", pages.index_page(entries, command="studylib report", commit=commit()))
    return out / "index.html"


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
                f"{one.record.study}/{one.record.run}: {fit.arm}, seed {fit.seed}: {fit.status}: {fit.reason}"
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

    changes = compare.changes(Record.load(before), Record.load(after))
    names = [f"{path.parent.name}-{path.stem}" for path in (before, after)]
    page = out or after.parent.parent / f"compare-{'-'.join(names)}.html"
    command = shlex.join(["studylib", "compare", str(before), str(after)])
    write_whole(page, pages.compare_page(changes, command=command, commit=commit()))
    return changes.lines(), page


def commit() -> str:
    """Return the project's git commit, marked if files differ from it; "unknown" outside git."""
    git = ["git", "-C", str(places.project())]
    try:
        head = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + (" with uncommitted changes" if changes.stdout.strip() else "")


def _refuse_unwritable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"{out}: the folder for reports cannot be made: {error.strerror}.") from None
    if not os.access(out, os.W_OK | os.X_OK):
        raise ParameterError(f"{out}: the folder for reports cannot be written. Name another with --out.")

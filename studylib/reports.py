"""A run's three files, for machines, analysts and everyone: record, notebook and page; and the index."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import final

from studylib import compare, dates, editions, fingerprints, locks, places, plan, publishing, sources, study
from studylib.computing import computed
from studylib.contents import Contents
from studylib.editions import Editions
from studylib.pool import Pool
from studylib.progress import showing
from studylib.records import Record, write_whole
from studylib.runs import Request
from studylib.store import Store
from studylib.study import Planned

Trainers = Callable[[], AbstractContextManager[Executor]]
Drawers = Callable[[], AbstractContextManager[Pool]]

SUFFIXES = (".json", ".ipynb", ".html")
DRAWING_PACKAGES = ("matplotlib", "seaborn", "pandas", "papermill", "nbconvert", "ipython", "jinja2", "nh3")


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


@final
@dataclass(frozen=True)
class _Job:
    """A run that is asked for, what its files are made from, and why those that are there will not do."""

    request: Request
    plan: Planned
    made_from: dict[str, str]
    reasons: list[str]
    out: Path

    @property
    def name(self) -> str:
        return f"{self.request.params.study}/{self.request.params.run}"

    @property
    def keys(self) -> set[str]:
        return self.plan.keys

    @property
    def files(self) -> list[Path]:
        return [self.request.path(self.out, suffix) for suffix in SUFFIXES]


def make(
    requests: Sequence[Request], out: Path, trainers: Trainers, drawers: Drawers, tell: Callable[[str], None]
) -> list[Report]:
    """Compute what is missing for all runs at once, then write record, notebook and page of each.

    Args:
        requests: the runs.
        out: the folder of the reports.
        trainers: who computes fits.
        drawers: who executes notebooks; on this machine.
        tell: is given a line for each run, that says why it is made again or not.

    Raises:
        ParameterError: ``out`` or the store cannot be written to, or there is no such device; nothing was
            computed.
        StudyError: a dataset cannot be built, another process writes the same report, or the code that
            decides numbers was edited meanwhile; what was finished before is kept.
    """
    for request in requests:
        places.refuse_unwritable(request.path(out, "").parent, "Name another folder with --out.")
    store = Store()
    store.refuse_unwritable()
    with locks.shared(store.folder.parent), _held(requests, out):
        package = fingerprints.of_package()
        with trainers() as executor:
            with drawers() as readers:  # to build a dataset may take longer than a fit may
                plans = study.planned([one.params for one in requests], executor, Contents(), readers)
            jobs = _jobs(requests, plans, out, package)
            stale = [job for job in jobs if job.reasons]
            rounds = study.rounds([job.plan for job in stale], store)
            todo = rounds.begin()
            for line in (*_damage(store), *(_said(job, {spec.key for spec in todo}) for job in jobs)):
                tell(line)
            with showing(lambda: rounds.total, study.labels([job.plan for job in stale])) as progress:
                unkept = computed(todo, store, executor, progress, rounds.more)
        for job in stale:
            _write_record(job, study.recorded(job.plan, store, unkept))
        errors = _published(stale, out, drawers)
        publishing.index(out)
        if fingerprints.of_package() != package:
            tell("the code was edited meanwhile: the next report makes these pages anew")
        for job in stale:  # what was not computed is tried again
            if not (errors[job.name] or unkept.keys() & job.keys):
                _keep(job, study.seconds(job.plan, store))
    return [_report(job, errors.get(job.name, ""), store) for job in jobs]


@contextmanager
def _held(requests: Sequence[Request], out: Path) -> Iterator[None]:
    with ExitStack() as stack:
        for page in sorted({request.path(out, ".html") for request in requests}):
            stack.enter_context(locks.held(page))
        yield


def _jobs(requests: Sequence[Request], plans: Sequence[Planned], out: Path, package: str) -> list[_Job]:
    known = Editions()
    jobs = []
    for one, request in zip(plans, requests, strict=True):
        made_from = _made_from(request, one, package)
        before = known.get(request.path(out, ".json"))
        reasons = before.why_not(made_from) if before else ["it was not made here before"]
        jobs.append(_Job(request, one, made_from, reasons, out))
    return jobs


def _made_from(request: Request, one: Planned, package: str) -> dict[str, str]:
    drawing = {name: version(name) for name in DRAWING_PACKAGES}
    return {
        "parameters": editions.seal(one.asked),
        "data": one.content.sha256,
        "code that decides numbers": editions.seal(one.codes),
        "versions": editions.seal([platform.python_version(), plan.versions(), drawing]),
        "notebook": editions.seal_of(sources.notebook(request.params.study)),
        "code": package,
        "command": request.command,
        "what it costs": editions.seal(request.params.budget),
    }


def _said(job: _Job, todo: set[str]) -> str:
    if not job.reasons:
        return f"{job.name}: nothing to do: same code, parameters, data"
    missing, ahead = len(job.keys & todo) + job.plan.ahead, "up to " * bool(job.plan.ahead)
    of = len(job.keys) + job.plan.ahead
    fits = f"{ahead}{missing} of {of} fits to compute" if missing else "all fits are known"
    return f"{job.name}: {fits}; made anew: {', '.join(job.reasons)}"


def _damage(store: Store) -> list[str]:
    return [f"{path}: {reason}; computed again" for path, reason in store.damaged.items()]


def _write_record(job: _Job, record: Record) -> None:
    json, notebook, page = job.files
    Editions().begin(job.files, sorted(job.keys), made=dates.today())
    for path in (notebook, page):
        path.unlink(missing_ok=True)  # an older page beside a newer record would lie
    compare.concluded(record).save(json)


def _published(stale: Sequence[_Job], out: Path, drawers: Drawers) -> dict[str, str]:
    """Make the pages of what was made anew; return, by run, why there is none."""
    if not stale:
        return {}
    with drawers() as pool:
        errors = publishing.published([job.request for job in stale], out, pool)
    return {job.name: error for job, error in zip(stale, errors, strict=True)}


def _keep(job: _Job, seconds: float) -> None:
    begun = Editions().get(job.files[0])
    told = {"fits": sorted(job.keys), "seconds": seconds, "made": begun.made if begun else ""}
    Editions().put(job.files[0], editions.edition_of(job.made_from, job.files, **told))


def _report(job: _Job, error: str, store: Store) -> Report:
    json, _, page = job.files
    known = Editions().get(json)
    seconds = known.seconds if known else study.seconds(job.plan, store)
    return Report(Record.load(json), page, seconds, error)


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
    write_whole(page, pages.compare_page(changes, command=command, commit=publishing.commit()))
    return changes.lines(), page


def _beside(after: Path, *records: Record) -> Path:
    """Return the path of a comparison: beside the index, or beside a record that is not among reports."""
    name = "-".join(["compare", *(f"{record.study}-{record.run}" for record in records)])
    among_reports = after.absolute().parent.name == records[-1].study
    return (after.absolute().parent.parent if among_reports else after.parent) / f"{name}.html"

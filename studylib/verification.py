"""Is a record true, and do its notebook and its page say the same?

Some of its fits are computed again, away from the store; all conclusions are drawn again; notebook and page
are made again and compared with those beside it. What counts as equal is said in `studylib.checks.tolerances`
and `studylib.checks.shown`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

from studylib import compare, executors, pool, publishing, sources, study
from studylib.checks import fits, shown, tolerances, trials
from studylib.checks.differences import Difference, table
from studylib.checks.shown import Files
from studylib.checks.trials import Again, again
from studylib.contents import Contents
from studylib.errors import ParameterError
from studylib.params import layered
from studylib.progress import showing
from studylib.records import Record
from studylib.store import Result
from studylib.study import Planned

NOTHING = "none beside it"


@final
@dataclass(frozen=True)
class _Case:
    """A record that is looked into.

    Attributes:
        drawn: the fits that are computed again, some of their trials with them.
        other: how the versions of its numbers are not those here.
    """

    path: Path
    record: Record
    plan: Planned
    drawn: Sequence[Again]
    other: Sequence[str]

    def beside(self, suffix: str) -> str | None:
        """Return the text of the file beside the record, None without one."""
        path = _beside(self.path, suffix)
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def verified(
    paths: Sequence[Path], sample: int, workers: int | None, announce: Callable[[str], None]
) -> list[str]:
    """Check records, each with the notebook and the page beside it; return a table of what differs, in lines.

    Args:
        paths: the records.
        sample: how many fits of each are computed again.
        workers: processes; as many as cores if None.
        announce: is told what was checked of each record, and what a reader should know of that.

    Raises:
        ParameterError: no record, or one whose parameters this version does not take.
    """
    if not paths:
        raise ParameterError("reports: no record to verify. Make some with: make report")
    records = [Record.load(path) for path in paths]
    asked = [
        layered(record.study, record.run, [(str(path), record.params)])
        for path, record in zip(paths, records, strict=True)
    ]
    found = {}
    drawn = any(_stands_beside(path) for path in paths)
    preload = (*pool.TRAINING, *(publishing.DRAWING if drawn else ()))
    with TemporaryDirectory() as nothing_known, pool.local(workers, preload=preload) as executor:
        plans = study.planned(asked, executor, Contents(Path(nothing_known)))
        cases = [_case(*one, sample) for one in zip(paths, records, plans, strict=True)]
        making = _begun(cases, executor)
        results = _computed(cases, executor)
        commit = publishing.commit()
        for case in cases:
            files = _in_files(case, making.get(case.path), commit)
            in_fits = [*_in_fits(case, results)]
            differences = [*fits.misfits(case.record, case.plan), *in_fits, *_concluded(case)]
            found[str(case.path)] = differences = [*differences, *files.differences]
            for line in _told(case, len(in_fits), len(differences), files):
                announce(line)
    return table(found)


def _case(path: Path, record: Record, one: Planned, sample: int) -> _Case:
    kept = {(fit.arm, fit.seed): fit for fit in record.fits if fit.status in {"ok", "diverged"}}
    pairs = sorted(kept.keys() & (one.specs.keys() | one.searches.keys()))
    # which fits are drawn follows from all numbers of the record: a failure can be looked at again, and who
    # changes a number cannot know whether it will be
    draw = random.Random(repr(record.fits))  # noqa: S311  # no secret
    drawn = {pair: kept[pair] for pair in draw.sample(pairs, min(sample, len(pairs)))}
    found = [again(one, fit, whole=sample == sys.maxsize, draw=draw) for fit in drawn.values()]
    return _Case(path, record, one, found, tolerances.other_versions(record))


def _stands_beside(record: Path) -> bool:
    return any(_beside(record, suffix).is_file() for suffix in (".ipynb", ".html"))


def _beside(record: Path, suffix: str) -> Path:
    """Return the path of another file of a run, whose record may be gzipped."""
    return record.with_suffix("" if record.suffix == ".gz" else record.suffix).with_suffix(suffix)


def _computed(cases: Sequence[_Case], executor: Executor) -> dict[str, Result]:
    """Return by key the results of all fits that are drawn, each computed once."""
    wanted = {spec.key: spec for case in cases for one in case.drawn for spec in one.specs}
    results = {}
    with showing(lambda: len(wanted), study.labels([case.plan for case in cases])) as progress:
        for attempt in executors.compute(wanted.values(), executor):
            progress(attempt)
            if attempt.final and attempt.result:
                results[attempt.spec.key] = attempt.result
    return results


def _in_fits(case: _Case, results: Mapping[str, Result]) -> Iterator[Difference]:
    for one in case.drawn:
        yield from one.differences(case.plan, results, case.other)


def _concluded(case: _Case) -> Iterator[Difference]:
    yield from trials.misfits(case.record, case.plan, case.other)
    yield from fits.conclusions(case.record, case.other)


def _begun(cases: Sequence[_Case], executor: Executor) -> dict[Path, Future[Files]]:
    """Begin to make the files of the records that have any; of copies of one record, once."""
    begun: dict[str, Future[Files]] = {}
    making = {}
    for case in cases:
        if _stands_beside(case.path):
            content = repr(case.record)
            if content not in begun:
                begun[content] = executor.submit(_made, case.record, case.plan.asked)
            making[case.path] = begun[content]
    return making


def _made(record: Record, asked: dict[str, Any]) -> Files:
    """Return notebook and page as they follow from the fits of a record; nothing is trained."""
    from studylib import notebooks, pages

    # with every parameter that this version knows, so that the notebook takes it for its own
    known = replace(compare.concluded(record), params=asked)
    with TemporaryDirectory() as folder:
        path, executed = Path(folder, "record.json"), Path(folder, "executed.ipynb")
        known.save(path)
        source = sources.notebook(record.study)
        notebooks.execute(source, executed, asked, environment={study.RECORD: str(path)})
        page = pages.study_page(executed, replace(known, params=record.params), command="", commit="")
        return Files(executed.read_text(encoding="utf-8"), page.decode())


def _in_files(case: _Case, making: Future[Files] | None, commit: str) -> shown.Found:
    """Return what differs in notebook and page."""
    if making is None:
        return shown.Found([], {"notebook": 0, "page": 0}, [])
    beside = Files(case.beside(".ipynb"), case.beside(".html"))
    try:
        again = making.result()
        return shown.files_compared(case.record, beside, again, commit, case.other)
    except Exception as error:  # noqa: BLE001  # the files of one record do not cost the others their check
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"
        failed = Difference("notebook and page", "cannot be compared", "", why)
        return shown.Found([failed], {}, [])


def _told(case: _Case, in_fits: int, differences: int, files: shown.Found) -> Iterator[str]:
    agreed = "" if in_fits or case.other else f", {tolerances.agreed(case.record)}"
    checked = [
        f"{len(case.drawn)} of {len(case.record.fits)} fits computed again{agreed}",
        "conclusions drawn again",
        *(f"{file}: {f'{count} numbers' if count else NOTHING}" for file, count in files.numbers.items()),
    ]
    yield f"{case.path}: {', '.join(checked)}; {differences} differences"
    if case.other:
        yield f"  other versions: {'; '.join(case.other)}: {tolerances.STATED}"
    yield from (f"  {remark}" for remark in files.remarks)

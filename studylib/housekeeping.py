"""The store looked after: what it holds, and what may go. What a record needs never goes."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import time
from typing import Any, Literal, final

from studylib import locks, needs, places, processes, store
from studylib.errors import ParameterError, StudyError
from studylib.ledger import Ledger
from studylib.needs import Needs
from studylib.plan import FitSpec

DRAFT = re.compile(r"\..+\.(\d+)\.tmp")  # as ``records.write_whole`` names them
BUILD = re.compile(r"(.+)-[0-9a-f]{16}\.npz")  # as ``datasets._cache`` names them
TABLE = "table-*.json"  # as ``datasets._columns`` names what it has read of a file, beside the numbers
UNUSED = 7 * 24 * 3600.0  # seconds after which such a table goes: its file is read again in a minute
ADVICE = "Name another store with STUDYLIB_STORE."


@final
@dataclass(frozen=True)
class Kept:
    """A fit that is stored whole.

    Attributes:
        fit: what it is, in words; ``reason`` why it diverged, if it did.
        seconds: of training.
        needed: whether a record shows it.
    """

    key: str
    status: str
    fit: str
    reason: str
    seconds: float
    bytes: int
    needed: bool


@final
@dataclass(frozen=True)
class Waste:
    """Files that may go, in this order, and why."""

    kind: Literal["fit", "damaged", "temporary", "dataset", "edition"]
    name: str
    why: str
    files: tuple[Path, ...]
    bytes: int

    @property
    def line(self) -> str:
        """It as a line for people."""
        return f"{self.kind} {self.name}: {self.why} ({self.bytes / 1e6:.3f} MB)"


@final
@dataclass(frozen=True)
class Holdings:
    """What a store holds.

    Attributes:
        damaged: fits that are not believed, by path, with the reason.
        waste: what may go, if ``needs`` leaves nothing unclear.
    """

    folder: Path
    fits: tuple[Kept, ...]
    damaged: dict[Path, str]
    waste: tuple[Waste, ...]
    needs: Needs


def survey(folder: Path | None = None) -> Holdings:
    """Look at a store, that of this project if none is named; one that is not there holds nothing.

    Raises:
        ParameterError: it is no folder.
    """
    folder = folder or places.store_folder()
    if folder.exists() and not folder.is_dir():
        raise ParameterError(f"{folder}: expected a folder, and it is a file. {ADVICE}")
    needed = needs.of_records(folder)
    fits: list[Kept] = []
    damaged: dict[Path, str] = {}
    waste: list[Waste] = []
    for path in _entries(folder / "fits"):
        try:
            kept = _kept(path, needed)
        except store.Damaged as error:
            damaged[path] = str(error)
            found = _waste("damaged", str(path), str(error), _pair(path))
        else:
            fits.append(kept)
            found = _waste("fit", f"{kept.key[:12]} ({kept.fit})", "no record needs it", _pair(path))
        if path.stem not in needed.keys:
            waste.append(found)
    waste += [*_drafts(folder), *_superseded(folder / "datasets"), *_unused(folder / "datasets")]
    waste += [_waste("edition", path.name, "its record is gone", [path]) for path in needed.gone]
    return Holdings(folder, tuple(fits), damaged, tuple(waste), needed)


def prunable(folder: Path | None = None) -> tuple[Waste, ...]:
    """Return what may go.

    Raises:
        StudyError: a file that may be a record cannot be read: it might need anything.
        ParameterError: the store is no folder.
    """
    holdings = survey(folder)
    for path, reason in holdings.needs.unclear.items():
        raise StudyError(
            f"{path}: {reason.rstrip('.')}. A record might need any fit of {holdings.folder},"
            " so nothing was removed. Mend it, make its report again, or remove it, and prune again."
        )
    return holdings.waste


def prune(folder: Path | None = None) -> Generator[Waste, None, None]:
    """Remove what may go, and yield each thing as it is gone; close what the ledger was left with open.

    Nobody else uses the store meanwhile: a report looks up its fits long before it writes the record that
    needs them.

    Raises:
        StudyError: somebody uses the store, or a file that may be a record cannot be read.
        ParameterError: the store cannot be written to.
    """
    folder = folder or places.store_folder()
    if not folder.exists():
        return
    places.refuse_unwritable(folder, ADVICE)
    with locks.alone(folder):
        waste = prunable(folder)
        Ledger(folder).settle()
        for one in waste:
            for path in one.files:
                path.unlink(missing_ok=True)
                with suppress(OSError):  # it is not empty
                    path.parent.rmdir()
            yield one


def size(path: Path) -> int:
    """Return the size of a file in bytes; 0 if it went away meanwhile."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return inf  # it went away meanwhile: who wrote it did well


def _entries(fits: Path) -> list[Path]:
    """Return the path of every entry, also of those of which the curves alone are left."""
    halves = (path for path in fits.glob("*/[!.]*") if path.suffix in {".json", ".npz"})
    return sorted({path.with_suffix(".json") for path in halves})


def _pair(path: Path) -> list[Path]:
    # the JSON goes first: what is stopped in between is then no damaged entry
    return [half for half in (path, path.with_suffix(".npz")) if half.is_file()]


def _kept(path: Path, needed: Needs) -> Kept:
    """Return what is told of the entry at ``path``.

    Raises:
        Damaged: it is not believed.
    """
    try:
        entry = store.read(path).entry
    except FileNotFoundError:
        raise store.Damaged("its curves are there, and nothing else of it") from None
    result, key = entry["result"], entry["key"]
    told = (result["status"], _label(entry["spec"]), result["reason"], result["seconds"])
    return Kept(key, *told, sum(map(size, _pair(path))), key in needed.keys)


def _label(spec: dict[str, Any]) -> str:
    try:
        return FitSpec(**spec).label
    except (TypeError, KeyError):
        return "specified by another version"


def _waste(
    kind: Literal["fit", "damaged", "temporary", "dataset", "edition"],
    name: str,
    why: str,
    files: Iterable[Path],
) -> Waste:
    files = tuple(files)
    return Waste(kind, name, why, files, sum(map(size, files)))


def _drafts(folder: Path) -> Iterator[Waste]:
    """Give what processes left half written when they died."""
    for path in sorted(folder.rglob(".*.tmp")):
        draft = DRAFT.fullmatch(path.name)
        if draft and not processes.still_runs(int(draft[1]), _written(path)):
            why = f"process {draft[1]}, which wrote it, has ended"
            yield _waste("temporary", str(path), why, [path])


def _superseded(datasets: Path) -> Iterator[Waste]:
    """Give the builds of datasets but the latest of each: which one is built, versions and code decide."""
    builds: dict[str, list[Path]] = {}
    for path in sorted(datasets.glob("*.npz"), key=_written):
        if build := BUILD.fullmatch(path.name):
            builds.setdefault(build[1], []).append(path)
    for older in builds.values():
        yield from (_waste("dataset", path.name, "a later build replaced it", [path]) for path in older[:-1])


def _unused(datasets: Path) -> Iterator[Waste]:
    """Give what was read of files of one's own and not used for a week."""
    for path in sorted(datasets.glob(TABLE)):
        if time() - _written(path) > UNUSED:
            files = [half for half in (path, path.with_suffix(".f64")) if half.is_file()]
            yield _waste("dataset", path.stem, "nobody used this table of one's own for a week", files)

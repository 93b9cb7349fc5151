"""What records need of the store: the fits that they show, wherever a report of this store put them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from studylib import places
from studylib.editions import Edition, Editions
from studylib.errors import ParameterError
from studylib.records import Record


@final
@dataclass(frozen=True)
class Needs:
    """What records need.

    Attributes:
        keys: of the fits.
        unclear: files and folders that cannot be read, with the reason: what they need is not known.
        gone: editions that lead to no record any more.
    """

    keys: frozenset[str]
    unclear: dict[Path, str]
    gone: tuple[Path, ...]


def of_records(store: Path) -> Needs:
    """Return what is needed of the store in the folder ``store``.

    Looked at is every record, at any depth, under the ``reports`` of the project and of the working folder,
    and under every folder that an edition names.
    """
    editions = Editions(store)
    known = editions.by_path()
    unclear: dict[Path, str] = {
        path: "it cannot be read, and may lead to records"
        for path, edition in known.items()
        if edition is None or path != editions.path(_first(edition))
    }
    whole = {path: edition for path, edition in known.items() if edition and path not in unclear}
    lasting = [edition for edition in whole.values() if os.path.lexists(_first(edition))]
    keys = {key for edition in lasting for key in edition.fits}
    folders = {folder for edition in whole.values() for folder in _folders(edition)}
    for path in _found([places.project() / "reports", Path.cwd() / "reports", *folders], store, unclear):
        try:
            keys |= _needed(path)
        except ParameterError as error:
            unclear[path] = str(error).removeprefix(f"{path}: ")
    covered = {folder for edition in lasting for folder in _folders(edition)}
    gone = [
        path
        for path, edition in whole.items()
        if edition not in lasting and not _leads_to_records(edition, covered, store)
    ]
    return Needs(frozenset(keys), unclear, tuple(gone))


def _first(edition: Edition) -> Path:
    return Path(next(iter(edition.files), ""))


def _folders(edition: Edition) -> set[Path]:
    return {Path(file).parent for file in edition.files}


def _leads_to_records(edition: Edition, covered: Iterable[Path], store: Path) -> bool:
    """Return whether, without that edition, nothing would name some of the records that it leads to."""
    alone = [
        folder for folder in _folders(edition) if not any(folder.is_relative_to(other) for other in covered)
    ]
    unclear: dict[Path, str] = {}
    return any(not _is_something_else(path) for path in _found(alone, store, unclear)) or bool(unclear)


def _found(folders: Iterable[Path], store: Path, unclear: dict[Path, str]) -> Iterator[Path]:
    """Give each file under ``folders`` that may be a record; what cannot be listed is put to ``unclear``.

    Links are followed: whoever keeps the reports on another disk has records there.
    """
    seen = {store.resolve()}

    def note(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError | NotADirectoryError):
            unclear[Path(error.filename)] = f"it cannot be read: {error.strerror}"

    for top in folders:
        for place, inner, names in os.walk(top, onerror=note, followlinks=True):
            if (real := Path(place).resolve()) in seen:
                inner.clear()
                continue
            seen.add(real)
            yield from (Path(place, name) for name in names if name.lower().endswith(".json"))


def _needed(path: Path) -> set[str]:
    """Return the keys of the fits that the record at ``path`` shows; none if it is no record.

    Raises:
        ParameterError: it is, or may have been, a record, and cannot be read.
    """
    try:
        fits = Record.load(path).fits
        keys = {key for fit in fits for key in (fit.key, *(k for one in fit.trials for k in one.keys))}
    except (ParameterError, TypeError, RecursionError) as error:
        if _is_something_else(path):
            return set()
        raise ParameterError(str(error)) from None
    if not all(isinstance(key, str) for key in keys):
        raise ParameterError(f"{path}: expected the key of a fit as text.")
    return keys


def _is_something_else(path: Path) -> bool:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return not (isinstance(data, dict) and data.keys() & {"study", "contrasts", "headline"})

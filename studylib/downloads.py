"""Files of known content: found in a folder that has them, or fetched, and believed by their sha256."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from time import time_ns

from studylib.errors import ParameterError
from studylib.fetching import File, difference, fetch
from studylib.locks import awaited
from studylib.places import refuse_unwritable, store_folder
from studylib.records import write_whole

__all__ = ["File", "cache_folder", "data_folder", "fetched", "present"]

SETTLED = 2_000_000_000  # nanoseconds; a file that was just written may change again under the same time
_VERIFIED: dict[Path, list[str | int]] = {}  # what this process need not ask the disk for


def data_folder() -> Path | None:
    """Return the folder that ``STUDYLIB_DATA`` names, None if it is not set.

    Raises:
        ParameterError: it names no folder.
    """
    named = os.environ.get("STUDYLIB_DATA", "")
    if not named:
        return None
    folder = Path(named).expanduser().resolve()
    if not folder.is_dir():
        raise ParameterError(
            f"STUDYLIB_DATA: expected the folder of datasets, got {named!r}, which is"
            f" {'no folder' if folder.exists() else 'not there'}. Correct or unset it."
        )
    return folder


def cache_folder() -> Path:
    """Return the folder that files are fetched to."""
    return store_folder() / "downloads"


def present(file: File) -> Path | None:
    """Return where the file lies, in the folder of datasets or among what was fetched; None if nowhere.

    Raises:
        ParameterError: ``STUDYLIB_DATA`` names no folder.
    """
    folders = [folder for folder in (data_folder(), cache_folder()) if folder]
    return next((path for folder in folders if (path := folder / file.path).is_file()), None)


def fetched(file: File) -> Path:
    """Return the path of the file, whose content is checked; it is fetched if it is not there.

    One that was fetched before and is damaged is fetched again; one of ``STUDYLIB_DATA`` is left alone. What
    was checked is noted in the store, so that the next look at an unchanged file takes no time.

    Raises:
        ParameterError: it cannot be fetched, or is not what it should be.
    """
    target = cache_folder() / file.path
    known = present(file)
    if known and known != target:
        _refuse_other(known, file)
        return known
    if not (known and _is_right(target, file)):
        refuse_unwritable(target.parent, "Set STUDYLIB_STORE to a folder that can be written to.")
        with awaited(target):  # somebody else may be fetching it
            if not (target.is_file() and _is_right(target, file)):
                fetch(file, target)
    return target


def _refuse_other(path: Path, file: File) -> None:
    """Refuse a file of the user's folder that is not what it should be.

    Raises:
        ParameterError: it is not, or cannot be read.
    """
    try:
        found = "" if _is_right(path, file) else difference(path, file)
    except OSError as error:
        raise ParameterError(f"{path}: expected a file that can be read: {error.strerror}.") from None
    if found:
        raise ParameterError(f"{path}: {found}. Replace it by {file.url}, or unset STUDYLIB_DATA.")


def _is_right(path: Path, file: File) -> bool:
    """Return whether ``path`` holds the file: as was found before, unless it was touched since."""
    stamp = _stamp(path, file)
    note = cache_folder() / ".checked" / f"{sha256(str(path).encode()).hexdigest()[:16]}.json"
    if stamp == _VERIFIED.get(path) or stamp == _noted(note):
        return True
    if difference(path, file):
        return False
    if time_ns() - path.stat().st_ctime_ns > SETTLED and stamp == _stamp(path, file):
        _VERIFIED[path] = stamp
        with suppress(OSError):  # then it is checked again next time
            write_whole(note, json.dumps(stamp).encode())
    return True


def _stamp(path: Path, file: File) -> list[str | int]:
    now = path.stat()
    return [str(path), file.sha256, now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino]


def _noted(note: Path) -> object:
    try:
        return json.loads(note.read_bytes())
    except (OSError, ValueError):
        return None

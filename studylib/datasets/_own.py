"""Data of one's own: a file that whoever runs a study brings, which is checked before anything starts."""

from __future__ import annotations

import json
import os
import stat
from abc import abstractmethod
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from time import time_ns
from typing import Annotated, Any, ClassVar

from pydantic import Field

from studylib.datasets.base import Dataset
from studylib.errors import ParameterError, did_you_mean
from studylib.places import store_folder
from studylib.records import write_whole

PathSetting = Annotated[
    str, Field(min_length=1, description="where it is; from the folder in which the command is typed")
]
# of formats that run code when they are opened, or that no table is read from, by their first bytes
NOT_OPENED = {
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x93NUMPY": "an array of NumPy",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "what gzip compressed",
    b"BZh": "what bzip2 compressed",
    b"\xfd7zXZ": "what xz compressed",
    b"\x28\xb5\x2f\xfd": "what zstd compressed",
    b"\x78\x01": "what zlib compressed, as joblib does",
    b"\x78\x9c": "what zlib compressed, as joblib does",
    b"\x78\xda": "what zlib compressed, as joblib does",
    b"\x89HDF": "HDF5",
    b"ARROW1": "Feather",
    b"SQLite": "a database of SQLite",
    b"%PDF": "a PDF",
}
NOT_OPENED_BY_ENDING = dict.fromkeys((".pkl", ".pickle", ".joblib", ".pt", ".pth"), "a pickle by its ending")
_SETTLED = 2_000_000_000  # ns after which a file that was written to again has another time


class OwnData(Dataset):
    """A dataset that is read from ``path``: what it holds is known when it is read, not before."""

    source: ClassVar[str] = "the file of whoever ran this"
    licence: ClassVar[str] = "not stated; it was brought by whoever ran this"
    about: ClassVar[str] = "data of one's own."
    not_for: ClassVar[str] = (
        "More than the rows stand for: nobody but whoever brought them knows how they were chosen."
    )

    path: PathSetting

    @abstractmethod
    def described(self) -> str:
        """Return in a sentence what was found in it: rows, columns, what is asked of them."""

    def refuse_unusable(self) -> None:
        """Read it, so that what is wrong with it is said before anything starts.

        Raises:
            ParameterError: the file, the row and the column, what was expected and what was found.
        """
        self.described()

    def origin(self) -> list[str]:
        """Return the sha256 of the file's content.

        Raises:
            ParameterError: there is no such file, or it is none that is read.
        """
        return [fingerprint(located(self.path))]

    def words(self) -> dict[str, Any]:
        """Return source, licence, what it is and what it is not good for; the path is as it was typed."""
        own = {"source": f"{self.path}, brought by whoever ran this", "about": self.described()}
        return {**super().words(), **own}


def located(path: str) -> Path:
    """Return where the file at ``path`` is, which may be relative to the working folder.

    Raises:
        ParameterError: it is not there, is no regular file, is empty, or is of a format that is not opened.
    """
    found = Path(path).expanduser()
    try:
        mode = found.stat().st_mode
    except OSError as error:
        raise ParameterError(f"{path}: {absent(found, error)}") from None
    if stat.S_ISDIR(mode):
        raise ParameterError(f"{path}: expected a file, got a folder. Name a file in it.")
    if not stat.S_ISREG(mode):
        raise ParameterError(f"{path}: expected a regular file, got {_kind(mode)}. Copy it to a file first.")
    if not os.access(found, os.R_OK):
        raise ParameterError(f"{path}: cannot be read: Permission denied.")
    _refuse_formats(path, found)
    return found


def absent(path: Path, error: OSError) -> str:
    """Return why ``path`` cannot be looked at, and what may have been meant."""
    if not isinstance(error, FileNotFoundError):
        return f"cannot be read: {error.strerror}."
    folder = path.parent
    if not folder.is_dir():
        return f"no such file, for there is no folder {str(folder)!r} in {str(Path.cwd())!r}."
    near = did_you_mean(path.name, [one.name for one in folder.iterdir()])
    return f"no such file in the folder {str(folder.resolve())!r}.{near}"


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _refuse_formats(path: str, found: Path) -> None:
    with found.open("rb") as file:
        first = file.read(16)
    if not first:
        raise ParameterError(f"{path}: the file is empty.")
    named = NOT_OPENED_BY_ENDING.get(found.suffix.lower())
    kind = named or next((kind for start, kind in NOT_OPENED.items() if first.startswith(start)), None)
    if kind:
        raise ParameterError(
            f"{path}: expected a table as text or parquet, got {kind}. It was not opened"
            f"{': a pickle may run anything' if 'pickle' in kind else ''}. Save it as CSV or parquet."
        )


def fingerprint(path: Path) -> str:
    """Return the sha256 of the file's content, remembered for as long as its size and time stay."""
    found = path.stat()
    return _hashed(path.resolve(), found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=64)
def _hashed(path: Path, size: int, written: int) -> str:
    mark = sha256(json.dumps([str(path), size, written]).encode()).hexdigest()
    kept = store_folder() / "fingerprints" / mark
    if kept.is_file() and len(known := kept.read_text(encoding="ascii", errors="replace")) == len(mark):
        return known
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    if time_ns() - written > _SETTLED:
        write_whole(kept, digest.encode())
    return digest

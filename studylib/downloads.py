"""Files of known content: found in a folder that has them already, or fetched and checked by their sha256."""

from __future__ import annotations

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import final

from studylib.errors import ParameterError
from studylib.places import store_folder


@final
@dataclass(frozen=True)
class File:
    """A file that a dataset or a technique is read from.

    Attributes:
        path: where it lies in the folder of datasets, such as ``golub/actual.csv``.
        url: where it is fetched from.
        sha256: of its content.
        bytes: how many it has.
    """

    path: str
    url: str
    sha256: str
    bytes: int


def data_folder() -> Path | None:
    """Return the folder that ``STUDYLIB_DATA`` names, None if it is not set."""
    named = os.environ.get("STUDYLIB_DATA", "")
    return Path(named).expanduser().resolve() if named else None


def cache_folder() -> Path:
    """Return the folder that files are fetched to."""
    return store_folder() / "downloads"


def present(file: File) -> Path | None:
    """Return where the file lies, in the folder of datasets or among what was fetched; None if nowhere."""
    folders = [folder for folder in (data_folder(), cache_folder()) if folder]
    return next((path for folder in folders if (path := folder / file.path).is_file()), None)


def fetched(file: File) -> Path:
    """Return the path of the file, whose content is checked; it is fetched if it is not there.

    Raises:
        ParameterError: it cannot be fetched, or is not what it should be.
    """
    import pooch

    known = present(file)
    if known:
        found = sha256(known.read_bytes()).hexdigest()
        if found != file.sha256:
            raise ParameterError(f"{known}: expected sha256 {file.sha256}, got {found}.")
        return known
    target = cache_folder() / file.path
    pooch.get_logger().setLevel("WARNING")  # it tells of every file
    pooch.retrieve(file.url, f"sha256:{file.sha256}", target.name, target.parent)
    return target

"""A file of known content, fetched: resumed where it broke off, checked, and only then given its name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EDQUOT, EFBIG, ENOSPC
from hashlib import file_digest
from pathlib import Path
from shutil import disk_usage
from time import sleep
from typing import TYPE_CHECKING, final

from studylib.errors import ParameterError

if TYPE_CHECKING:
    from requests import RequestException, Response

TRIES = 3
PAUSE = 0.3  # seconds before the second try, and twice as many before the third
TIMEOUT = (10.0, 30.0)  # seconds until somebody answers, and between two pieces
PIECE = 1 << 13  # bytes; of a piece that breaks off nothing is kept
MB = 1e6
FULL = {ENOSPC, EDQUOT, EFBIG}
AGAIN = {408, 425, 429, 500, 502, 503, 504}  # what a server may say today and not tomorrow
CANNOT_RESUME, RESUMED = 416, 206


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


def difference(path: Path, file: File) -> str:
    """Return what was expected of ``path`` and what was found, or nothing if it holds what it should.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as opened:
        found = file_digest(opened, "sha256").hexdigest()
    if found == file.sha256:
        return ""
    size = path.stat().st_size
    short = "it is cut short" if size < file.bytes else "damaged, or another edition"
    wanted = f"expected {file.bytes} bytes with sha256 {file.sha256}"
    return f"{wanted}, got {size} bytes with sha256 {found}: {short}"


def fetch(file: File, target: Path) -> None:
    """Fetch ``file`` to ``target``, whole or not at all; what was fetched before it broke off is kept beside.

    Raises:
        ParameterError: what stood in the way, and what to do.
    """
    import pooch
    from requests import RequestException

    pooch.get_logger().setLevel("WARNING")  # it tells of every file
    part = target.with_name(f".{target.name}.{file.sha256[:8]}.part")

    try:
        _refuse_full(file, target.parent, part)
        _complete(file, part)
        pooch.retrieve(
            file.url,
            f"sha256:{file.sha256}",
            target.name,
            target.parent,
            downloader=lambda _, draft, __: part.replace(draft),
        )
    except RequestException as error:
        raise _refusal(file, target, _told(error)) from None
    except OSError as error:
        if error.errno in FULL:
            part.unlink(missing_ok=True)
        raise _refusal(file, target, _written(file, target, error)) from None


def _complete(file: File, part: Path) -> None:
    """Fetch what ``part`` lacks, and check the whole; what was resumed and is wrong is fetched anew, once."""
    resumed = _size(part) > 0
    _download(file, part)
    found = difference(part, file)
    if found and resumed:
        part.unlink()
        _download(file, part)
        found = difference(part, file)
    if found:
        part.unlink()
        raise ParameterError(
            f"{file.path}: {file.url} gives something else: {found}. It was thrown away."
            f" Get the file from elsewhere, and set STUDYLIB_DATA to a folder that holds it as {file.path}."
        )


def _download(file: File, part: Path) -> None:
    """Ask for what is missing, and a few times more if that may help.

    Raises:
        RequestException: the last reason why it did not come.
        OSError: it cannot be written.
    """
    from requests import HTTPError, RequestException

    with _line(file) as tell:
        for tried in range(TRIES):
            try:
                _stream(file, part, tell)
            except RequestException as error:
                hopeless = isinstance(error, HTTPError) and _status(error) not in AGAIN
                if hopeless or tried == TRIES - 1:
                    raise
            if _size(part) == file.bytes:
                break
            sleep(PAUSE * 2**tried)


def _stream(file: File, part: Path, tell: Callable[[int], None]) -> None:
    """Append to ``part`` what it lacks; a server that cannot begin in the middle begins anew."""
    import requests

    have = _size(part)
    if have == file.bytes:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    with requests.get(file.url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == CANNOT_RESUME:
            part.unlink(missing_ok=True)
            return
        response.raise_for_status()
        with part.open("ab" if have and _continues(response, have) else "wb") as kept:
            for piece in response.iter_content(PIECE):
                kept.write(piece)
                tell(kept.tell())
                if kept.tell() > file.bytes:  # it is not the file, and may never end
                    break


def _continues(response: Response, have: int) -> bool:
    began = response.headers.get("Content-Range", "").replace("=", " ")
    return response.status_code == RESUMED and began.startswith(f"bytes {have}-")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


@contextmanager
def _line(file: File) -> Iterator[Callable[[int], None]]:
    """Give the function that shows on a terminal how many bytes are there; in the end that is wiped away."""
    shown = sys.stderr.isatty()

    def write(words: str) -> None:
        if shown:
            sys.stderr.write(f"\r\x1b[K{words}")
            sys.stderr.flush()

    try:
        yield lambda have: write(f"{file.path}: {have / MB:.1f} of {file.bytes / MB:.1f} MB")
    finally:
        write("")


def _refuse_full(file: File, folder: Path, part: Path) -> None:
    """Refuse to begin what the disk has no room for.

    Raises:
        OSError: it has none.
    """
    if disk_usage(folder).free < file.bytes - _size(part):
        raise OSError(ENOSPC, "No space left on device")


def _written(file: File, target: Path, error: OSError) -> str:
    if error.errno not in FULL:
        return f"cannot be written to {error.filename or target}: {error.strerror or error}"
    free = disk_usage(target.parent).free
    return (
        f"there is no space for its {file.bytes / MB:.1f} MB ({error.strerror}; {free / MB:.1f} MB are free)."
        " Free some, or set STUDYLIB_STORE to a folder on another disk"
    )


def _status(error: RequestException) -> int:
    return 0 if error.response is None else error.response.status_code


def _told(error: Exception) -> str:
    """Return what a failed request means, in words."""
    from requests import HTTPError

    if isinstance(error, HTTPError):
        return f"the server answered HTTP {_status(error)}"
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    return f"the network did not bring it: {getattr(inner, 'strerror', None) or inner}"


def _refusal(file: File, target: Path, reason: str) -> ParameterError:
    return ParameterError(
        f"{file.path}: expected to fetch it from {file.url} to {target}, but {reason}. Fetch it where the"
        f" network can be reached, and set STUDYLIB_DATA to a folder that holds it as {file.path}."
    )

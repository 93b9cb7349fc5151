"""What an archive holds, read in memory: nothing is extracted, and what points elsewhere is refused."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from studylib.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from zipfile import ZipFile, ZipInfo

MOST = 256_000_000  # bytes that are asked for; no dataset here has as many in one archive
ENCRYPTED = 1


def members(path: Path, names: Iterable[str], most: int = MOST) -> dict[str, bytes]:
    """Return the content of the members called ``names`` of a zip, at most ``most`` bytes in all.

    Raises:
        ParameterError: it is no zip, lacks a member, is damaged or encrypted, unpacks to more than ``most``
            bytes, or any member, asked for or not, is a link or lies outside of the archive's own folder.
    """
    from zipfile import BadZipFile, ZipFile
    from zlib import error as ZlibError  # noqa: N812  it is an exception, named like a function

    contents: dict[str, bytes] = {}
    try:
        with ZipFile(path) as archive:
            for info in archive.infolist():
                _refuse_unsafe(path, info)
            for name in names:
                contents[name] = _read(path, archive, name, most - sum(map(len, contents.values())))
    except (BadZipFile, ZlibError, EOFError, NotImplementedError) as error:
        raise ParameterError(f"{path}: expected a zip that can be read, but: {error}. Replace it.") from None
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read: {error.strerror or error}.") from None
    return contents


def _refuse_unsafe(path: Path, info: ZipInfo) -> None:
    name = info.orig_filename
    ways = (PurePosixPath(name), PureWindowsPath(name))
    if any(way.anchor or way.drive or ".." in way.parts for way in ways) or "\0" in name:
        raise _unsafe(path, name, "points outside of the archive's folder")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _unsafe(path, name, "is a link")


def _unsafe(path: Path, name: str, why: str) -> ParameterError:
    return ParameterError(f"{path}: its member {name!r} {why}; nothing of it was read. Do not unpack it.")


def _read(path: Path, archive: ZipFile, name: str, most: int) -> bytes:
    known = archive.namelist()
    if name not in known:
        raise ParameterError(
            f"{path}: expected a member {name!r}, found {len(known)} others.{did_you_mean(name, known)}"
        )
    if known.count(name) > 1:
        raise ParameterError(
            f"{path}: expected each member once; it has {known.count(name)} members called {name!r}."
        )
    info = archive.getinfo(name)
    if info.flag_bits & ENCRYPTED:
        raise ParameterError(f"{path}: its member {name!r} is encrypted; expected one that can be read.")
    if info.file_size <= most:
        with archive.open(info) as member:
            content = member.read(most + 1)  # what it says of its size need not be true
        if len(content) <= most:
            return content
    raise ParameterError(
        f"{path}: its member {name!r} unpacks to more than the {most} bytes that a dataset has left for it."
    )

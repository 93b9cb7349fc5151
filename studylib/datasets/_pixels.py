"""The pixels of a folder of images as one array on the disk, decoded once and shared by processes."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from math import prod
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, final

from studylib.datasets import _pictures
from studylib.datasets._folders import Folder
from studylib.datasets._loading import Tell, loading
from studylib.datasets._pictures import Frame, Seen
from studylib.errors import ParameterError, StudyError
from studylib.locks import awaited
from studylib.places import refuse_unwritable, store_folder
from studylib.records import write_whole

if TYPE_CHECKING:
    import numpy as np

FORMAT = 1
NAMED = 5  # broken files that a message names


@final
@dataclass(frozen=True)
class Pixels:
    """All images of a folder in one size.

    Attributes:
        images: (n, channels, size, size), uint8, on the disk, and not to be written to.
        seen: what each file is, before it was made smaller.
    """

    images: np.ndarray
    seen: tuple[Seen, ...]


def pixels_of(folder: Folder, path: str, frame: Frame) -> Pixels:
    """Return the images of ``folder``, which was named ``path``; they are decoded if they are not known.

    Raises:
        ParameterError: what cannot be decoded: which files, and what they are.
        StudyError: the store cannot hold it.
    """
    found = _known(folder, folder.fingerprint(), path, frame)
    if isinstance(found, ParameterError):
        raise found
    return found


@final
class BrokenError(ParameterError):
    """What is wrong, a sentence for each file."""

    def __str__(self) -> str:
        more = len(self.args) - NAMED
        return "\n".join(
            [*self.args[:NAMED], *([f"And {more} more files are no images."] if more > 0 else [])]
        )


@lru_cache(maxsize=4)
def _known(folder: Folder, content: str, path: str, frame: Frame) -> Pixels | ParameterError:
    """Return the images, or what is wrong with them: they are not decoded again to say so once more."""
    code = sha256(Path(_pictures.__file__).read_bytes()).hexdigest()
    decides = [FORMAT, content, frame.size, frame.colour, frame.shape, version("pillow"), code]
    key = sha256(json.dumps(decides).encode()).hexdigest()[:24]
    place = store_folder() / "datasets" / f"images-{key}"
    shape = (len(folder.members), frame.channels, frame.size, frame.size)
    refuse_unwritable(place.parent, "Set STUDYLIB_STORE to a folder that can be written to.")
    try:
        with awaited(place):
            return _opened(place, shape) or _built(place, folder, path, frame, shape)
    except ParameterError as error:
        return error


def _opened(place: Path, shape: tuple[int, ...]) -> Pixels | None:
    """Return what is kept in ``place``, None if nothing is."""
    import numpy as np

    try:
        seen = tuple(Seen(*one) for one in json.loads((place / "seen.json").read_bytes()))
        images = np.load(place / "images.npy", mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, TypeError):
        return None
    return Pixels(images, seen) if images.shape == shape and len(seen) == shape[0] else None


def _built(place: Path, folder: Folder, path: str, frame: Frame, shape: tuple[int, ...]) -> Pixels:
    draft = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        _refuse_full(place.parent, path, prod(shape))
        draft.mkdir(parents=True, exist_ok=True)
        with loading(path, folder.bytes) as tell:
            _write(draft, folder, path, frame, shape, tell)
        shutil.rmtree(place, ignore_errors=True)  # damaged, if it is there
        draft.replace(place)
    except OSError as error:
        raise StudyError(
            f"{place}: the images of {path} were read but cannot be kept: {error.strerror}."
            " Set STUDYLIB_STORE to a folder that can be written to."
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    built = _opened(place, shape)
    if not built:
        raise StudyError(f"{place}: what was kept of the images of {path} was changed by somebody.")
    return built


def _refuse_full(place: Path, path: str, size: int) -> None:
    free = shutil.disk_usage(place).free
    if free < size:
        raise StudyError(
            f"{place}: the images of {path} take {size / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free."
            " Lower dataset.size, or set STUDYLIB_STORE to a folder on another disk."
        )


def _write(place: Path, folder: Folder, path: str, frame: Frame, shape: tuple[int, ...], tell: Tell) -> None:
    import numpy as np

    images = np.lib.format.open_memmap(place / "images.npy", mode="w+", dtype=np.uint8, shape=shape)
    lock, read = Lock(), 0

    def one(number: int) -> Seen | ParameterError:
        nonlocal read
        name = folder.members[number].name
        file = folder.root / name
        try:
            images[number], seen = frame.pixels(file, f"{path.rstrip('/')}/{name}")
        except ParameterError as error:
            return error
        with lock:
            read += file.stat().st_size
            tell(read)
        return seen

    with warnings.catch_warnings(), ThreadPoolExecutor() as pool:  # Pillow lets go of Python's lock
        warnings.simplefilter("ignore")  # of oddities that it can cope with
        seen = list(pool.map(one, range(shape[0])))
    _refuse_broken(seen)
    images.flush()
    write_whole(place / "seen.json", json.dumps(seen).encode())


def _refuse_broken(seen: Sequence[Seen | ParameterError]) -> None:
    found = [str(one) for one in seen if isinstance(one, ParameterError)]
    if found:
        raise BrokenError(*found)

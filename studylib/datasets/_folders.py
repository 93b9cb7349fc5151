"""Folders of images, one for each class: which files are meant, and what must not be followed."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from hashlib import file_digest, sha256
from pathlib import Path
from time import time_ns
from typing import Literal, NamedTuple, final

from studylib.datasets._own import absent
from studylib.errors import ParameterError
from studylib.places import store_folder
from studylib.records import write_whole

Part = Literal["", "train", "validation", "test"]
PARTS: dict[str, Part] = {"train": "train", "test": "test", "validation": "validation", "val": "validation"}
PASSED_BY = {"thumbs.db", "desktop.ini", "__macosx", "icon\r"}  # what systems leave behind; and hidden files
ADVICE = "Name the folder that holds one folder of images for each class, or both train and test"
LEAST_CLASSES = 2
_SETTLED = 2_000_000_000  # ns after which a file that was written to again has another time


@final
class Member(NamedTuple):
    """An image file: its name from the folder, the part that it is in (if folders say so), and its class."""

    name: str
    part: Part
    label: str


@final
@dataclass(frozen=True)
class Folder:
    """The image files of a folder, in the order of their names.

    Attributes:
        root: where it is.
        members: of all classes and parts.
        classes: names of the classes, in their order.
    """

    root: Path
    members: tuple[Member, ...]
    classes: tuple[str, ...]

    @property
    def parted(self) -> bool:
        """Whether its folders say what is train and what is test."""
        return any(member.part for member in self.members)

    @property
    def bytes(self) -> int:
        """How large all files are together."""
        return sum((self.root / member.name).stat().st_size for member in self.members)

    def counts(self, part: Part = "") -> dict[str, int]:
        """Return how many images each class has, of all parts or one."""
        found = Counter(one.label for one in self.members if not part or one.part == part)
        return {name: found[name] for name in self.classes}

    def fingerprint(self) -> str:
        """Return the sha256 over names and bytes of all files, remembered while sizes and times stay."""
        stats = ((self.root / one.name).stat() for one in self.members)
        marks = tuple((found.st_size, found.st_mtime_ns) for found in stats)
        return _hashed(self, marks)


def folder_of(path: str) -> Folder:
    """Return the images at ``path``: ``<class>/<file>``, or that in ``train`` and ``test`` (and ``val``).

    Hidden files are passed by, as is what systems leave behind, and files beside the folders of classes.

    Raises:
        ParameterError: no such folder, none or one class, a folder without images or within a class, a link
            that leads outside, what is no file, names of classes that differ in case alone.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        _refuse_no_folder(path, root)
    names = [one.name for one in _entries(path, root) if one.is_dir()]
    if {"train", "test"} <= set(names):
        parts = [(PARTS[name], f"{name}/") for name in names if name in PARTS]
    else:
        parts = [("", "")]
    members = [one for part, prefix in parts for one in _members(path, root, part, prefix)]
    classes = tuple(sorted({member.label for member in members}))
    if len(classes) < LEAST_CLASSES:
        found = f"one, {classes[0]!r}" if classes else "none"
        raise ParameterError(f"{path}: expected folders of at least two classes, got {found}. {ADVICE}.")
    _refuse_alike(path, classes)
    _refuse_strangers(path, members)
    return Folder(root, tuple(members), classes)


def _refuse_no_folder(path: str, root: Path) -> None:
    try:
        root.stat()
    except OSError as error:
        raise ParameterError(
            f"{path}: {absent(root, error).replace('no such file', 'no such folder')}"
        ) from None
    raise ParameterError(f"{path}: expected a folder, got a file. Unpack it if it is an archive. {ADVICE}.")


def _members(path: str, root: Path, part: Part, prefix: str) -> Iterator[Member]:
    for kind in _entries(f"{path}/{prefix}".rstrip("/"), root / prefix, root):
        if not kind.is_dir():
            continue  # beside the classes: a licence, a list
        label, files = kind.name, 0
        for file in _entries(f"{path}/{prefix}{label}", root / prefix / label, root):
            shown = f"{path}/{prefix}{label}/{file.name}"
            if file.is_dir():
                raise ParameterError(
                    f"{shown}: expected an image of the class {label!r}, got a folder. {ADVICE}."
                )
            if not file.is_file():
                raise ParameterError(f"{shown}: expected an image, got a pipe, a socket or a device.")
            files += 1
            yield Member(f"{prefix}{label}/{file.name}", part, label)
        if not files:
            raise ParameterError(
                f"{path}/{prefix}{label}: expected images of this class, got none. Remove it."
            )


def _entries(shown: str, folder: Path, root: Path | None = None) -> list[Path]:
    """Return what lies in ``folder``, by name, and nothing that a link brings from outside of ``root``."""
    try:
        found = sorted(folder.iterdir(), key=lambda one: one.name)
    except OSError as error:
        raise ParameterError(f"{shown}: cannot be read: {error.strerror}.") from None
    kept = [one for one in found if not one.name.startswith(".") and one.name.lower() not in PASSED_BY]
    home = (root or folder).resolve()
    for one in kept:
        if one.is_symlink():
            _refuse_outside(f"{shown}/{one.name}", one, home)
    return kept


def _refuse_outside(shown: str, link: Path, home: Path) -> None:
    target = link.resolve()
    if not target.is_relative_to(home):
        raise ParameterError(
            f"{shown}: a link that leads outside of the folder, to {str(target)!r}. Copy the file."
        )
    if not target.exists():
        raise ParameterError(f"{shown}: a link to {str(target)!r}, which is not there.")


def _refuse_alike(path: str, classes: tuple[str, ...]) -> None:
    seen: dict[str, str] = {}
    for name in classes:
        other = seen.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise ParameterError(
                f"{path}: the classes {other!r} and {name!r} differ in case alone, or in how accents are"
                " encoded: one folder on many systems. Rename one, or put them together."
            )


def _refuse_strangers(path: str, members: list[Member]) -> None:
    """Insist that each class has images to learn from, where folders say what is learnt from."""
    learnt = {one.label for one in members if one.part in {"", "train"}}
    for one in members:
        if one.label not in learnt:
            raise ParameterError(
                f"{path}: the class {one.label!r} is in {one.part} ({one.name}) but not in train, so that"
                " nothing can be learnt of it. Move some of its images, or remove it."
            )


@lru_cache(maxsize=8)
def _hashed(folder: Folder, marks: tuple[tuple[int, int], ...]) -> str:
    names = [member.name for member in folder.members]
    mark = sha256(json.dumps([str(folder.root.resolve()), names, marks]).encode()).hexdigest()
    kept = store_folder() / "fingerprints" / mark
    if kept.is_file() and len(known := kept.read_text(encoding="ascii", errors="replace")) == len(mark):
        return known
    with ThreadPoolExecutor() as pool:
        hashes = pool.map(_hash_of, (folder.root / name for name in names))
        lines = [f"{one}  {name}\n" for name, one in zip(names, hashes, strict=True)]
    digest = sha256("".join(lines).encode(errors="surrogateescape")).hexdigest()
    if time_ns() - max(written for _, written in marks) > _SETTLED:
        write_whole(kept, digest.encode())
    return digest


def _hash_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ParameterError(f"{path}: cannot be read: {error.strerror}.") from None

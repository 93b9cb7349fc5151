"""What the files of a run were made from: as long as that is the same, there is nothing to do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, final

from studylib import places
from studylib.records import write_whole


@final
@dataclass(frozen=True)
class Edition:
    """Files that were made together.

    Attributes:
        made_from: a hash of each ingredient, by its name.
        files: path and sha256 of each file.
        fits: keys of the results in the store that they show.
        seconds: sum of the pure training seconds of those.
        made: the day on which they were begun, such as ``2026-11-26``; files themselves know no clock.
    """

    made_from: Mapping[str, str]
    files: Mapping[str, str]
    fits: Sequence[str] = ()
    seconds: float = 0.0
    made: str = ""

    def why_not(self, made_from: Mapping[str, str]) -> list[str]:
        """Return why the files are no longer what ``made_from`` makes: nothing if they are."""
        if not self.made_from:
            return ["it was not finished the last time"]
        names = [*made_from, *(name for name in self.made_from if name not in made_from)]
        changed = [f"{name} changed" for name in names if made_from.get(name) != self.made_from.get(name)]
        return changed + [
            f"{Path(path).name} {'was changed' if Path(path).exists() else 'is missing'}"
            for path, seal in self.files.items()
            if seal_of(Path(path)) != seal
        ]


@final
class Editions:
    """A folder of what was made, in the store."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = (folder or places.store_folder()) / "editions"

    def get(self, first: Path) -> Edition | None:
        """Return the edition whose first file is ``first``; None if nothing is known of it."""
        return _read(self.path(first))

    def put(self, first: Path, edition: Edition) -> None:
        """Keep what is known of the edition whose first file is ``first``."""
        write_whole(self.path(first), json.dumps(asdict(edition), indent=1).encode())

    def begin(self, files: Sequence[Path], fits: Sequence[str], made: str = "") -> None:
        """Say that ``files`` are being made: whoever is stopped leaves nothing that looks finished."""
        self.put(files[0], Edition({}, {str(path.absolute()): "" for path in files}, fits, made=made))

    def by_path(self) -> dict[Path, Edition | None]:
        """Return every edition by where it is kept, None for what cannot be read."""
        return {path: _read(path) for path in sorted(self._folder.glob("*.json"))}

    def path(self, first: Path) -> Path:
        """Return where the edition whose first file is ``first`` is kept."""
        return self._folder / f"{sha256(str(first.absolute()).encode()).hexdigest()}.json"


def edition_of(made_from: Mapping[str, str], files: Sequence[Path], **details: Any) -> Edition:
    """Return the edition that ``files`` are now."""
    return Edition(made_from, {str(path.absolute()): seal_of(path) for path in files}, **details)


def seal_of(path: Path) -> str:
    """Return the sha256 of a file; empty if there is none."""
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def seal(data: Any) -> str:
    """Return the sha256 of plain data; the order of keys counts, for the first arm is the baseline."""
    return sha256(json.dumps(data).encode()).hexdigest()


def _read(path: Path) -> Edition | None:
    try:
        edition = Edition(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    plain = isinstance(edition.files, dict) and isinstance(edition.made_from, dict)
    return edition if plain and isinstance(edition.fits, list) else None

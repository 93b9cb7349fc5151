"""What datasets hold, looked at once: a hash and the shapes, kept until the data or their code change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from studylib import fingerprints, places
from studylib.datasets.base import content_hash
from studylib.plan import versions
from studylib.records import write_whole
from studylib.secrets import masked

if TYPE_CHECKING:
    from studylib.datasets.base import Dataset


@final
@dataclass(frozen=True)
class Content:
    """What a dataset holds.

    Attributes:
        sha256: of names, types, shapes and bytes of everything in it.
        facts: rows in all, rows per part of a split, shape of inputs, outputs, names of classes.
    """

    sha256: str
    facts: Mapping[str, Any]


def look(dataset: Dataset) -> Content:
    """Read ``dataset``, which is built if it was not built yet, and return what it holds.

    Raises:
        StudyError: it cannot be built.
    """
    split = dataset.split(0)
    rows = {"train": len(split.train), "validation": len(split.validation), "test": len(split.test)}
    facts = {
        "rows": sum(rows.values()),
        "split": rows,
        "inputs": list(split.inputs),
        "outputs": split.outputs,
        "classes": list(dataset.classes()),
    }
    return Content(content_hash(dataset), facts)


@final
class Contents:
    """A folder of what datasets were found to hold, in the store."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = (folder or places.store_folder()) / "contents"

    def get(self, dataset: Dataset) -> Content | None:
        """Return what ``dataset`` is known to hold, None if it has to be looked at.

        Raises:
            StudyError: what it is read from is not installed.
        """
        try:
            entry = json.loads(self._path(dataset).read_bytes())
            content, seal = Content(**entry["content"]), entry["seal"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return content if seal == _seal(content) else None

    def put(self, dataset: Dataset, content: Content) -> None:
        """Keep what ``dataset`` holds."""
        entry = {"content": asdict(content), "seal": _seal(content), "dataset": _settings(dataset)}
        write_whole(self._path(dataset), json.dumps(entry, indent=1, ensure_ascii=False).encode())

    def _path(self, dataset: Dataset) -> Path:
        code = fingerprints.of_code([type(dataset).__module__])
        decides = [_settings(dataset), dataset.origin(), code, versions()]
        return self._folder / f"{sha256(json.dumps(decides).encode()).hexdigest()}.json"


def _settings(dataset: Dataset) -> dict[str, Any]:
    """Return the settings that decide what a dataset holds: whoever may read it reads the same."""
    settings: dict[str, Any] = masked(dataset.named_settings())
    return settings


def _seal(content: Content) -> str:
    return sha256(json.dumps(asdict(content), sort_keys=True).encode()).hexdigest()

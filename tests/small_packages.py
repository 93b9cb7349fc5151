"""Small packages of Python, written to be read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from studylib.datasets import _sources


def write(folder: Path, files: Mapping[str, str | bytes]) -> list[_sources.Source]:
    """Write a package named after ``folder`` and return what is read of it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return sorted(_sources.folder_sources(folder, folder.parent))

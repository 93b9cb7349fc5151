"""Where things are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studylib import places

if TYPE_CHECKING:
    import pytest


def test_the_store_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """STUDYLIB_STORE moves the store, and ~ in it is the home folder."""
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path))
    assert places.store_folder() == tmp_path.resolve()

    monkeypatch.setenv("STUDYLIB_STORE", "~/kept")
    assert places.store_folder() == Path.home().resolve() / "kept"


def test_the_store_is_in_the_project_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, or with an empty one, it is .studylib beside pyproject.toml."""
    monkeypatch.setenv("STUDYLIB_STORE", "")
    empty = places.store_folder()
    monkeypatch.delenv("STUDYLIB_STORE")

    assert places.store_folder() == empty == places.project() / ".studylib"
    assert (places.project() / "pyproject.toml").is_file()

"""The store of what was built."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studylib.datasets._cache import stored
from studylib.errors import StudyError


def test_what_was_built_is_not_built_again(tmp_path: Path) -> None:
    """The second call reads the file, which NumPy can read too, and gives the same arrays."""
    built = {"numbers": np.arange(1000), "names": np.array(["a", "bé"])}
    first = stored(tmp_path, "small", ["1.0"], lambda: built)
    second = stored(tmp_path, "small", ["1.0"], dict)
    (path,) = (tmp_path / "datasets").iterdir()

    for arrays in (first, second, np.load(path, allow_pickle=False)):
        assert all(np.array_equal(arrays[name], built[name]) for name in built)
    assert {name: array.dtype for name, array in second.items()} == {
        name: array.dtype for name, array in built.items()
    }


def test_other_versions_or_code_are_built_anew(tmp_path: Path) -> None:
    """The ingredients are part of the file's name."""
    stored(tmp_path, "small", ["numpy 1"], lambda: {"x": np.zeros(1)})

    assert stored(tmp_path, "small", ["numpy 2"], lambda: {"x": np.ones(1)})["x"] == 1
    assert len(list((tmp_path / "datasets").iterdir())) == 2


@pytest.mark.parametrize("damage", ["a bit", "its end", "everything"])
def test_a_damaged_file_is_built_again(tmp_path: Path, damage: str) -> None:
    """One flipped bit, a lost end or an empty file: the content is the same again, and so is the file."""
    built = {"x": np.random.default_rng(0).normal(size=500)}
    stored(tmp_path, "small", [], lambda: built)
    (path,) = (tmp_path / "datasets").iterdir()
    whole = path.read_bytes()
    flipped = whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:]
    path.write_bytes({"a bit": flipped, "its end": whole[:-100], "everything": b""}[damage])

    assert np.array_equal(stored(tmp_path, "small", [], lambda: built)["x"], built["x"])
    assert np.array_equal(stored(tmp_path, "small", [], dict)["x"], built["x"])


def test_a_store_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where the folder should be: the error has the path and the way out."""
    (tmp_path / "datasets").write_text("in the way")

    with pytest.raises(StudyError, match="STUDYLIB_STORE"):
        stored(tmp_path, "small", [], lambda: {"x": np.zeros(1)})

"""Editions: what was made from the same ingredients, and is still there, is not made again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from studylib.editions import Editions, edition_of, seal

if TYPE_CHECKING:
    from pathlib import Path

MADE_FROM = {"parameters": "a", "data": "b"}


def files(folder: Path) -> list[Path]:
    """Return two files that were just made."""
    paths = [folder / "default.json", folder / "default.html"]
    for path in paths:
        path.write_text(path.name, encoding="utf-8")
    return paths


def test_the_same_ingredients_and_the_same_files_are_nothing_to_do(tmp_path: Path) -> None:
    """Also when asked by another process, through the folder."""
    made = edition_of(MADE_FROM, files(tmp_path), fits=["f"], seconds=1.5)
    Editions(tmp_path / "store").put(tmp_path / "default.json", made)
    again = Editions(tmp_path / "store").get(tmp_path / "default.json")

    assert again == made
    assert again.why_not(MADE_FROM) == []


def test_the_order_of_arms_is_a_parameter() -> None:
    """The first arm is the baseline: another one first is another question."""
    assert seal({"arms": {"none": {}, "shift": {}}}) != seal({"arms": {"shift": {}, "none": {}}})


@pytest.mark.parametrize(
    ("now", "reasons"),
    [
        ({"parameters": "a", "data": "c"}, ["data changed"]),
        ({"parameters": "x", "data": "y"}, ["parameters changed", "data changed"]),
        ({"parameters": "a"}, ["data changed"]),
        ({**MADE_FROM, "notebook": "c"}, ["notebook changed"]),
    ],
)
def test_what_changed_is_named(now: dict[str, str], reasons: list[str], tmp_path: Path) -> None:
    """One that was added or went away has changed too."""
    assert edition_of(MADE_FROM, files(tmp_path)).why_not(now) == reasons


def test_files_that_were_touched_are_named(tmp_path: Path) -> None:
    """A page that somebody edited, or threw away, is made again."""
    record, page = files(tmp_path)
    made = edition_of(MADE_FROM, [record, page])
    page.write_text("better", encoding="utf-8")
    record.unlink()

    assert made.why_not(MADE_FROM) == ["default.json is missing", "default.html was changed"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"made_from": {}}', b'{"made_from": {}, "x": 1}'])
def test_what_cannot_be_read_is_not_known(body: bytes, tmp_path: Path) -> None:
    """Then the files are made again, which is always right."""
    known, first = Editions(tmp_path), tmp_path / "default.json"
    known.put(first, edition_of(MADE_FROM, []))
    (path,) = tmp_path.rglob("*.json")
    path.write_bytes(body)

    assert known.get(first) is None


def test_what_is_being_made_is_never_taken_for_finished(tmp_path: Path) -> None:
    """Whoever is stopped in the middle leaves the names of files and fits, and nothing that looks done."""
    known, paths = Editions(tmp_path), files(tmp_path)
    known.put(paths[0], edition_of(MADE_FROM, paths))
    known.begin(paths, ["f"])
    begun = known.get(paths[0])

    assert begun
    assert begun.why_not(MADE_FROM) == ["it was not finished the last time"]
    assert list(begun.files) == [str(path) for path in paths]
    assert begun.fits == ["f"]

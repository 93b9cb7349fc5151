"""What datasets hold is looked at once, and again as soon as it may be something else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from studylib import datasets
from studylib.contents import Content, Contents, look
from studylib.datasets.base import content_hash

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.datasets.base import Dataset


def digits(train: int = 60) -> Dataset:
    """Return a small dataset."""
    return datasets.CATALOGUE.make("digits", {"train": train})


@pytest.mark.parametrize("name", ["digits", "diabetes", "breast_cancer"])
def test_what_is_looked_at_is_what_is_there(name: str, tmp_path: Path) -> None:
    """The hash of the whole content, and the shapes of a split; kept, it is the same."""
    dataset = datasets.CATALOGUE.example(name)
    content, split = look(dataset), dataset.split(0)
    Contents(tmp_path).put(dataset, content)

    assert content.sha256 == content_hash(dataset)
    assert content.facts["rows"] == sum(content.facts["split"].values())
    assert content.facts["split"]["test"] == len(split.test)
    assert (tuple(content.facts["inputs"]), content.facts["outputs"]) == (split.inputs, split.outputs)
    assert Contents(tmp_path).get(dataset) == content


def test_other_settings_another_origin_or_other_code_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these may change what a dataset holds."""
    known = Contents(tmp_path)
    known.put(digits(), look(digits()))

    assert known.get(digits(61)) is None
    monkeypatch.setattr(type(digits()), "origin", lambda _: ["scikit-learn 99.0"])
    assert known.get(digits()) is None
    monkeypatch.undo()
    assert known.get(digits()) is not None
    monkeypatch.setattr("studylib.fingerprints.of_code", lambda _: "other code")
    assert known.get(digits()) is None


def test_a_flipped_bit_is_harmless_or_not_believed(tmp_path: Path) -> None:
    """Whichever byte is changed: never another hash, nor another number of rows."""
    known, content = Contents(tmp_path), look(digits())
    known.put(digits(), content)
    (path,) = tmp_path.rglob("*.json")
    body = path.read_bytes()
    for place in range(0, len(body), 3):
        path.write_bytes(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])
        assert known.get(digits()) in (None, content)
    path.write_bytes(body[: len(body) // 2])
    assert known.get(digits()) is None


def test_a_person_can_read_what_was_kept(tmp_path: Path) -> None:
    """The file says of which dataset it is."""
    Contents(tmp_path).put(digits(), Content("0" * 64, {"rows": 3}))
    (path,) = tmp_path.rglob("*.json")

    assert json.loads(path.read_text(encoding="utf-8"))["dataset"] == digits().named_settings()

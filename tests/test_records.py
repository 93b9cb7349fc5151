"""Records: plain data, an exact round trip, files that are whole or not there."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from math import inf, isfinite, nan
from pathlib import Path
from random import Random
from typing import Any

import pytest
from imaginary import classification

from studylib.errors import ParameterError
from studylib.records import Contrast, Fit, Record, write_sealed, write_whole

ARMS = ("none", "λ .01", "naïve “quoted”", "two\nlines", "日本", "z", "a")


def any_float(random: Random) -> float:
    """Return a float of any size: each pattern of bits that is a finite number is as likely."""
    while True:
        (number,) = struct.unpack("<d", random.randbytes(8))
        if isfinite(number):
            return float(number)


def any_record(seed: int) -> Record:
    """Return a record of arbitrary numbers and awkward names."""
    random = Random(seed)
    fits = tuple(
        Fit(
            arm,
            k,
            metrics={"test_accuracy": any_float(random), "ü": any_float(random)},
            curves={"train_loss": [any_float(random) for _ in range(4)], "empty": []},
        )
        for arm in ARMS
        for k in range(2)
    )
    lost = Fit("z", 7, "diverged", reason='the loss was "nan"\nafter epoch 1')
    contrast = Contrast(
        "z", "test_accuracy", "none", any_float(random), -1.5, 0.1, 0.95, 0.3, 0.6, "undecided", 2
    )
    unpaired = replace(contrast, arm="a", difference=nan, low=-inf, high=inf, p=1.0, p_holm=1.0, pairs=0)
    params = {"arms": {arm: {"l1": {"strength": any_float(random)}} for arm in ARMS}, "seeds": 2}
    dataset = {"name": "digits", "sha256": "0" * 64, "inputs": [1, 8, 8]}
    return Record("vision", "ü", params, dataset, (*fits, lost), {"torch": "2"}, (contrast, unpaired), "So.")


def refuse_constant(word: str) -> float:
    """Refuse NaN and Infinity, which are not JSON."""
    raise AssertionError(word)


def saved(record: Record, path: Path) -> dict[str, Any]:
    """Save a record and return its file as any strict reader of JSON sees it."""
    record.save(path)
    data: dict[str, Any] = json.loads(path.read_bytes(), parse_constant=refuse_constant)
    return data


@pytest.mark.parametrize("seed", range(20))
def test_a_record_comes_back_to_the_last_bit(seed: int, tmp_path: Path) -> None:
    """Numbers of any size, names in any script, and the order of the arms survive the file."""
    record = any_record(seed)
    record.save(tmp_path / "a.json")
    again = Record.load(tmp_path / "a.json")
    again.save(tmp_path / "b.json")

    assert repr(again) == repr(record)  # as text, nan is equal to nan
    assert again.arms == ARMS
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_the_file_is_strict_json_with_the_promised_keys(tmp_path: Path) -> None:
    """Format 1, and what a program of another language looks for; no NaN, no Infinity."""
    data = saved(any_record(0), tmp_path / "a.json")
    fit, contrast = data["fits"][0], data["contrasts"][0]

    assert data["format"] == 1
    assert data.keys() >= {"study", "run", "params", "dataset", "fits", "contrasts", "versions"}
    assert fit.keys() >= {"arm", "seed", "status", "metrics", "curves"}
    assert contrast.keys() >= {
        "arm",
        "metric",
        "baseline",
        "difference",
        "low",
        "high",
        "level",
        "p",
        "p_holm",
    }
    assert contrast["verdict"] == "undecided"


def test_what_needs_two_pairs_is_null_without_them(tmp_path: Path) -> None:
    """JSON has no infinity: an unknown difference and its bounds are null there, and unknown again after."""
    unpaired = saved(any_record(0), tmp_path / "a.json")["contrasts"][1]

    assert (unpaired["difference"], unpaired["low"], unpaired["high"]) == (None, None, None)
    back = Record.load(tmp_path / "a.json").contrasts[1]
    assert (back.low, back.high) == (-inf, inf)


def test_fits_that_did_not_finish_are_kept_and_told_apart() -> None:
    """Nothing is dropped: a lost fit has its status and its reason, and does not count as finished."""
    record = any_record(0)

    assert [(fit.arm, fit.seed, fit.status) for fit in record.unfinished()] == [("z", 7, "diverged")]
    assert [fit.seed for fit in record.finished("z")] == [0, 1]
    assert record.baseline == "none"


def test_the_frame_has_a_row_per_fit_and_a_column_per_metric() -> None:
    """For analysts: arm, seed, status, reason, and the numbers as they are in the record."""
    record = classification()
    frame = record.to_frame()

    assert list(frame.columns[:4]) == ["arm", "seed", "status", "reason"]
    assert len(frame) == len(record.fits)
    for row, fit in zip(frame.to_dict("records"), record.fits, strict=True):
        assert {key: row[key] for key in fit.metrics} == fit.metrics
    assert frame.set_index(["arm", "seed"]).index.is_unique


def broken(**changes: Any) -> bytes:
    """Return a record's file with other fields; a field that is None is left out."""
    data = {"format": 1, "study": "s", "run": "r", "params": {}, "dataset": {}, "fits": [], "versions": {}}
    data |= {"contrasts": [], "headline": "", **changes}
    return json.dumps({key: value for key, value in data.items() if value is not None}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"\xff\xfe",
        broken(format=2),
        broken(format=None),
        broken(fits=None),
        broken(fits=3),
        broken(fits=[{"arm": "a"}]),
        broken(fits=[{"arm": "a", "seed": 0, "colour": "red"}]),
        broken(contrasts=[{}]),
        broken(contrasts=[3]),
        broken(study=None),
        broken(author="me"),
    ],
)
def test_what_is_no_record_is_refused_with_its_name(body: bytes, tmp_path: Path) -> None:
    """Never a traceback, never half a record: the file is named and what was expected is said."""
    path = tmp_path / "not a record.json"
    path.write_bytes(body)
    with pytest.raises(ParameterError, match=r"not a record\.json: .*(expected|record)"):
        Record.load(path)


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    """Missing, or a folder."""
    with pytest.raises(ParameterError, match="cannot be read"):
        Record.load(tmp_path / name)


@pytest.mark.parametrize("write", [write_whole, write_sealed])
def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, write: Callable[[Path, bytes], None]) -> None:
    """A write that fails leaves what was there, and no draft beside it."""
    target = tmp_path / "deep" / "a.json"
    write(target, b"old")
    write(target, b"new")
    assert target.read_bytes() == b"new"

    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write(folder, b"body")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "folder"]
    assert [path.name for path in target.parent.iterdir()] == ["a.json"]

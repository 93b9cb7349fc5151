"""The store: an exact round trip, and nothing that is damaged is believed."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from math import inf, isfinite, nan
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from studylib.errors import ParameterError
from studylib.plan import FitSpec
from studylib.store import Result, Store

if TYPE_CHECKING:
    from studylib.records import Status

SPEC = FitSpec(
    dataset={"name": "digits", "path": "naïve/日本.csv"},
    model={"name": "mlp", "hidden": [8, 8]},
    regularizers={"l1": {"strength": 0.1, "layers": "*"}},
    training={"epochs": 2},
    seed=0,
    device="cpu",
    content="0" * 64,
    code="1" * 64,
    versions={"torch": "2.13.0"},
)
RESULT = Result(
    "ok",
    metrics={"test_accuracy": 0.1 + 0.2, "test_nll": 5e-324},
    curves={"train_loss": [1 / 3, -0.0, 1e308], "empty": []},
    seconds=1.5,
    peak_mb=300.25,
)


def any_result(seed: int) -> Result:
    """Return a result of arbitrary floats: each pattern of bits that is a finite number is as likely."""
    random = Random(seed)
    floats = [struct.unpack("<d", random.randbytes(8))[0] for _ in range(40)]
    finite = [float(number) for number in floats if isfinite(number)]
    return Result(
        "ok", metrics={f"λ {k}": x for k, x in enumerate(finite)}, curves={"b": finite, "a": finite[:3]}
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store that holds one result."""
    store = Store(tmp_path)
    store.put(SPEC, RESULT)
    return store


def files(folder: Path) -> tuple[Path, Path]:
    """Return the JSON and the arrays of the one result in a store."""
    (entry,), (arrays,) = folder.rglob("*.json"), folder.rglob("*.npz")
    return entry, arrays


@pytest.mark.parametrize("seed", range(20))
def test_a_result_comes_back_to_the_last_bit(seed: int, tmp_path: Path) -> None:
    """Numbers of any size, in metrics and in curves, as the same floats."""
    result = any_result(seed)
    Store(tmp_path).put(SPEC, result)
    again = Store(tmp_path).get(SPEC)

    assert again is not None
    assert repr(again.metrics) == repr(result.metrics)
    assert {name: repr(values) for name, values in again.curves.items()} == {
        name: repr(values) for name, values in result.curves.items()
    }


def test_status_reason_time_and_memory_are_kept_too(tmp_path: Path) -> None:
    """A divergence is decided by its specification, so it is known the next time."""
    diverged = Result("diverged", 'the loss was "nan"\nafter epoch 1 – 日本', seconds=0.25, peak_mb=123.0)
    Store(tmp_path).put(SPEC, diverged)

    assert Store(tmp_path).get(SPEC) == diverged


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_numbers_that_are_none_come_back_as_well(number: float, tmp_path: Path) -> None:
    """Curves may hold them; the store is no judge."""
    Store(tmp_path).put(SPEC, replace(RESULT, curves={"a": [number]}, metrics={"a": number}))
    again = Store(tmp_path).get(SPEC)

    assert again is not None
    assert repr([*again.curves["a"], again.metrics["a"]]) == repr([number, number])


@pytest.mark.parametrize("status", ["failed", "killed"])
def test_what_the_specification_does_not_decide_is_not_kept(status: Status, tmp_path: Path) -> None:
    """A full disk or a killed worker says nothing about the fit: it is tried again."""
    Store(tmp_path).put(SPEC, Result(status, "the machine"))

    assert Store(tmp_path).get(SPEC) is None
    assert list(tmp_path.iterdir()) == []


def test_another_specification_is_not_known(store: Store) -> None:
    """Only its own key leads to a result."""
    assert store.get(SPEC) is not None
    assert store.get(replace(SPEC, seed=1)) is None


def test_an_empty_store_knows_nothing(tmp_path: Path) -> None:
    """And asking it makes no folder."""
    assert Store(tmp_path / "nowhere").get(SPEC) is None
    assert not (tmp_path / "nowhere").exists()


def test_a_flipped_bit_is_harmless_or_not_believed(store: Store, tmp_path: Path) -> None:
    """Whichever byte of either file is changed: never another result."""
    whole = store.get(SPEC)
    for path in files(tmp_path):
        body = path.read_bytes()
        for place in range(len(body)):
            path.write_bytes(body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :])
            assert store.get(SPEC) in (None, whole)
        path.write_bytes(body)

    assert store.get(SPEC) == whole


def test_one_digit_of_a_metric_is_enough(store: Store, tmp_path: Path) -> None:
    """Somebody, or a disk, that betters an accuracy is not believed."""
    entry, _ = files(tmp_path)
    text = entry.read_text(encoding="utf-8")
    assert "0.30000000000000004" in text
    entry.write_text(text.replace("0.30000000000000004", "0.90000000000000004"), encoding="utf-8")

    assert store.get(SPEC) is None


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_ends_too_early_is_not_believed(
    which: int, share: float, store: Store, tmp_path: Path
) -> None:
    """As a power cut may leave it."""
    path = files(tmp_path)[which]
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    assert store.get(SPEC) is None


@pytest.mark.parametrize("which", [0, 1])
def test_half_of_a_result_is_none(which: int, store: Store, tmp_path: Path) -> None:
    """The JSON without its arrays, or the arrays without their JSON."""
    files(tmp_path)[which].unlink()

    assert store.get(SPEC) is None


def test_a_result_in_another_s_place_is_not_believed(store: Store, tmp_path: Path) -> None:
    """Files that were renamed by hand say whose they are."""
    other = replace(SPEC, seed=1)
    for path in files(tmp_path):
        target = tmp_path / "fits" / other.key[:2] / f"{other.key}{path.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())

    assert store.get(other) is None


@pytest.mark.parametrize("body", [b"[]", b"3", b"null", b"{}", b"\xff", b'{"format": 2}'])
def test_another_format_is_not_believed(body: bytes, store: Store, tmp_path: Path) -> None:
    """That of a later version, or of something else."""
    files(tmp_path)[0].write_bytes(body)

    assert store.get(SPEC) is None


def test_what_is_not_believed_is_replaced(store: Store, tmp_path: Path) -> None:
    """The next result of the same specification takes its place."""
    for path in files(tmp_path):
        path.write_bytes(b"damaged")
    store.put(SPEC, RESULT)

    assert store.get(SPEC) == RESULT


def test_a_person_can_read_what_was_kept(store: Store, tmp_path: Path) -> None:
    """The JSON says what was asked for, in full, and what came of it."""
    assert store.get(SPEC) is not None
    entry = json.loads(files(tmp_path)[0].read_text(encoding="utf-8"))

    assert entry["spec"]["dataset"] == SPEC.dataset
    assert entry["result"]["metrics"] == RESULT.metrics
    assert "naïve/日本.csv" in files(tmp_path)[0].read_text(encoding="utf-8")


def test_a_store_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """Before a fit is computed that could not be kept."""
    (tmp_path / "file").touch()
    with pytest.raises(ParameterError, match=r"file/store/fits: expected a folder .* STUDYLIB_STORE"):
        Store(tmp_path / "file" / "store").refuse_unwritable()

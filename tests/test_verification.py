"""Verification: what a record says is computed again, and every number compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from command_line import Smoke, smoke, studylib

from studylib import verification

if TYPE_CHECKING:
    from collections.abc import Callable

Change = "Callable[[dict[str, Any]], None]"


@pytest.fixture(scope="session")
def smoke_runs(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """Return the smoke runs of all studies."""
    return smoke(tmp_path_factory)


def better(data: dict[str, Any]) -> None:
    """Change the last digit of one metric."""
    data["fits"][3]["metrics"]["test_nll"] += 1e-15


def smoother(data: dict[str, Any]) -> None:
    """Change one point of one curve."""
    data["fits"][1]["curves"]["train_loss"][-1] *= 0.999


def bolder(data: dict[str, Any]) -> None:
    """Change a conclusion."""
    data["contrasts"][0]["verdict"] = "better"


def louder(data: dict[str, Any]) -> None:
    """Change the headline."""
    data["headline"] = data["headline"].replace("No arm", "Every arm")


def shorter(data: dict[str, Any]) -> None:
    """Leave a fit out."""
    del data["fits"][-1]


def longer(data: dict[str, Any]) -> None:
    """Add a fit that nobody asked for."""
    data["fits"].append({**data["fits"][-1], "seed": 9})


def elsewhere(data: dict[str, Any]) -> None:
    """Name other data."""
    data["dataset"]["sha256"] = "0" * 64


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "metric": (better, "shift, seed 1: test_nll was "),
    "curve": (smoother, "none, seed 1: the curve train_loss differs"),
    "verdict": (bolder, "contrast of shift: verdict was 'better', is 'undecided'"),
    "headline": (louder, "the record: headline was 'Every arm"),
    "missing": (shorter, "batch norm, seed 1: is missing"),
    "added": (longer, "batch norm, seed 9: was not asked for"),
    "data": (elsewhere, f"dataset: sha256 was '{'0' * 64}', is '"),
}


@pytest.fixture(scope="module")
def differences(smoke_runs: Smoke, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return what is said of the vision study's record after each of the changes, and of all true records."""
    folder = tmp_path_factory.mktemp("changed")
    body = (smoke_runs.reports / "vision" / "smoke.json").read_text(encoding="utf-8")
    paths = {"true": smoke_runs.reports / "vision" / "smoke.json"}
    for name, (change, _) in CHANGES.items():
        data = json.loads(body)
        change(data)
        paths[name] = folder / f"{name}.json"
        paths[name].write_text(json.dumps(data), encoding="utf-8")
    found = verification.verified(list(paths.values()), 8, 1, lambda _: None)
    return {
        name: [line.removeprefix(f"{path}: ") for line in found if line.startswith(f"{path}: ")]
        for name, path in paths.items()
    }


def test_a_true_record_has_no_difference(differences: dict[str, list[str]]) -> None:
    """Every one of its fits is computed again, to the last bit."""
    assert differences["true"] == []


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_record_is_found_out(name: str, differences: dict[str, list[str]]) -> None:
    """One digit, one point of a curve, a word of a conclusion: the line that differs is named."""
    _, said = CHANGES[name]

    assert any(line.startswith(said) for line in differences[name]), differences[name]


def test_a_change_is_not_blamed_on_what_is_true(differences: dict[str, list[str]]) -> None:
    """A curve decides no conclusion, a headline no fit: one line each."""
    assert len(differences["curve"]) == len(differences["headline"]) == len(differences["data"]) == 1


def test_the_command_ends_with_0_for_what_is_true_and_1_for_what_is_not(
    smoke_runs: Smoke, tmp_path: Path
) -> None:
    """And it says how much was computed again, and which number differs; the store is not asked."""
    record = tmp_path / "reports" / "tabular" / "smoke.json"
    record.parent.mkdir(parents=True)
    record.write_bytes((smoke_runs.reports / "tabular" / "smoke.json").read_bytes())
    fine = studylib("verify", "--sample", "2", cwd=tmp_path, store=tmp_path / "store")

    assert (fine.returncode, fine.stderr) == (0, "")
    assert fine.stdout == f"{Path('reports/tabular/smoke.json')}: 2 of 6 fits computed again, 0 differences\n"

    data = json.loads(record.read_text(encoding="utf-8"))
    data["fits"][0]["metrics"]["test_rmse"] += 1
    record.write_text(json.dumps(data), encoding="utf-8")
    wrong = studylib("verify", record, "--sample", "6", cwd=tmp_path, store=tmp_path / "store")

    assert wrong.returncode == 1
    assert (
        f"{record}: no penalty, seed 0: test_rmse was {data['fits'][0]['metrics']['test_rmse']!r}, is "
        in wrong.stderr
    )
    assert not list((tmp_path / "store").glob("fits/*/*"))

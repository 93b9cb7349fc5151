"""Verification: what a record says is computed again, and every number compared."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from command_line import Smoke, smoke, studylib

from studylib import verification
from studylib.checks import tolerances

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Change: TypeAlias = Callable[[dict[str, Any]], None]


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


def worse(data: dict[str, Any]) -> None:
    """Let a fit that ended well have diverged."""
    data["fits"][5]["status"] = "diverged"


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


def twice(data: dict[str, Any]) -> None:
    """Count a fit twice."""
    data["fits"].append(data["fits"][-1])


def elsewhere(data: dict[str, Any]) -> None:
    """Name other data."""
    data["dataset"]["sha256"] = "0" * 64


def other_torch(data: dict[str, Any]) -> None:
    """Say that another torch computed it."""
    data["versions"]["torch"] = "2.12.0"


def other_machine(data: dict[str, Any]) -> None:
    """Say that another processor computed it, and differ by a little."""
    data["versions"]["machine"] = "x86_64 of another kind"
    for fit in data["fits"]:
        fit["metrics"]["train_nll"] *= 1.01
        fit["metrics"]["train_accuracy"] += 0.02
        fit["metrics"]["best_epoch"] = 1.0
        fit["curves"]["validation_loss"][-1] *= 0.99
        fit["curves"]["calibration_count"][0] += 1


def too_far(data: dict[str, Any]) -> None:
    """The same, and in one metric by too much."""
    other_machine(data)
    data["fits"][2]["metrics"]["train_accuracy"] += 0.02


def exactly(data: dict[str, Any]) -> None:
    """Say that another torch computed it, and differ by more than a solver does."""
    other_torch(data)
    data["fits"][0]["metrics"]["train_r2"] += 1e-6


def other_end(data: dict[str, Any]) -> None:
    """Say that another torch computed it, and that a fit ended otherwise."""
    other_torch(data)
    worse(data)


# study, change, and (where, what) of a difference that it makes; none at all without one
CHANGES: dict[str, tuple[str, Change, tuple[str, str] | None]] = {
    "metric": ("vision", better, ("shift, seed 1", "test_nll")),
    "curve": ("vision", smoother, ("none, seed 1", "the curve train_loss[1]")),
    "status": ("vision", worse, ("mixup, seed 1", "status")),
    "verdict": ("vision", bolder, ("contrast of shift", "verdict")),
    "headline": ("vision", louder, ("the record", "headline")),
    "missing": ("vision", shorter, ("batch norm, seed 1", "the fit")),
    "added": ("vision", longer, ("batch norm, seed 9", "the fit")),
    "twice": ("vision", twice, ("batch norm, seed 1", "the fit")),
    "data": ("vision", elsewhere, ("dataset", "sha256")),
    "other torch": ("vision", other_torch, None),
    "other machine": ("vision", other_machine, None),
    "too far": ("vision", too_far, ("shift, seed 0", "train_accuracy")),
    "exactly": ("tabular", exactly, ("no penalty, seed 0", "train_r2")),
    "other end": ("vision", other_end, ("mixup, seed 1", "status")),
}


@pytest.fixture(scope="module")
def told() -> list[str]:
    """Return what was said while verifying."""
    return []


@pytest.fixture(scope="module")
def differences(
    smoke_runs: Smoke, tmp_path_factory: pytest.TempPathFactory, told: list[str]
) -> dict[str, list[list[str]]]:
    """Return the cells of the rows about a record after each of the changes, and about a true one."""
    folder = tmp_path_factory.mktemp("changed")
    paths = {"true": smoke_runs.reports / "vision" / "smoke.json"}
    for name, (study, change, _) in CHANGES.items():
        data = json.loads((smoke_runs.reports / study / "smoke.json").read_text(encoding="utf-8"))
        change(data)
        paths[name] = folder / f"{name.replace(' ', '-')}.json"
        paths[name].write_text(json.dumps(data), encoding="utf-8")
    rows = [re.split(r"\s{2,}", line) for line in verification.verified([*paths.values()], 9, 1, told.append)]

    assert rows[0] == ["record", "where", "what", "recorded", "computed", "difference"]
    return {name: [row[1:] for row in rows if row[0] == str(path)] for name, path in paths.items()}


def test_a_true_record_has_no_difference(differences: dict[str, list[list[str]]], told: list[str]) -> None:
    """Every one of its fits is computed again, to the last bit, and its notebook and page are made again."""
    assert differences["true"] == []
    assert re.search(
        r"8 of 8 fits computed again, equal, .* notebook: \d+ numbers, page: \d+ numbers; 0 differences",
        told[0],
    )


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_record_is_found_out(name: str, differences: dict[str, list[list[str]]]) -> None:
    """One digit, one point of a curve, a word of a conclusion: what differs is named."""
    _, _, said = CHANGES[name]

    rows = [row[:2] for row in differences[name]]

    assert list(said) in rows if said else rows == []


def test_a_change_is_not_blamed_on_what_is_true(differences: dict[str, list[list[str]]]) -> None:
    """A curve decides no conclusion, a headline no fit, a metric beside the deciding one neither."""
    for name in ("metric", "curve", "headline", "data", "too far", "exactly"):
        assert len(differences[name]) == 1, differences[name]


def test_what_differs_is_told_with_both_numbers(differences: dict[str, list[list[str]]]) -> None:
    """And with how far they are apart, where they are numbers."""
    [[*_, recorded, computed, apart]] = differences["too far"]

    assert float(recorded) - float(computed) == pytest.approx(0.04)
    assert float(apart) == -0.04
    assert differences["verdict"][0][2:] == ["'better'", "'undecided'"]


def test_how_far_numbers_of_other_versions_may_be_off_is_said(told: list[str]) -> None:
    """With what was other; of what is the same here, nothing is said, but that no notebook was there."""
    said = [line for line in told if line.startswith("  other versions: torch 2.12.0, here ")]

    assert len(said) == 3
    assert all(line.endswith(tolerances.STATED) for line in said)
    assert sum("notebook: none beside it, page: none beside it" in line for line in told) == len(CHANGES)
    assert len(told) == 1 + len(CHANGES) + 5


def test_the_command_ends_with_0_for_what_is_true_and_1_for_what_is_not(
    smoke_runs: Smoke, tmp_path: Path
) -> None:
    """And it says how much was computed again, and which number differs; the store is not asked."""
    record = tmp_path / "reports" / "tabular" / "smoke.json"
    record.parent.mkdir(parents=True)
    record.write_bytes((smoke_runs.reports / "tabular" / "smoke.json").read_bytes())
    fine = studylib("verify", "--sample", "2", cwd=tmp_path, store=tmp_path / "store")

    assert fine.returncode == 0
    assert fine.stdout == (
        "reports/tabular/smoke.json: 2 of 6 fits computed again, equal, conclusions drawn again,"
        " notebook: none beside it, page: none beside it; 0 differences\n"
    )
    assert all(re.fullmatch(r"\d of 2 fits, \d+ s", line) for line in fine.stderr.splitlines())

    data = json.loads(record.read_text(encoding="utf-8"))
    data["fits"][0]["metrics"]["test_rmse"] += 1
    record.write_text(json.dumps(data), encoding="utf-8")
    wrong = studylib("verify", record, "--sample", "6", cwd=tmp_path, store=tmp_path / "store")

    assert wrong.returncode == 1
    assert "studylib: what differs:\nrecord " in wrong.stderr
    assert re.search(
        rf"no penalty, seed 0 +test_rmse +{data['fits'][0]['metrics']['test_rmse']!r} .* -1\n", wrong.stderr
    )
    assert not list((tmp_path / "store").glob("fits/*/*"))

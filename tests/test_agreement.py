"""How well numbers of one device agree when they are found again: stated once, recorded, and held to."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from studylib import executors, plan, study
from studylib.agreement import EQUAL, FACT, OF, TRAINED
from studylib.checks import fits, tolerances
from studylib.contents import look
from studylib.params import study_params
from studylib.records import Fit, Record
from studylib.store import Result, Store
from studylib.study import Planned

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.plan import FitSpec

PARAMS = study_params(
    "vision",
    dataset={"train": 60, "validation": 60},
    model={"name": "mlp", "hidden": [8]},
    training={"epochs": 1},
    arms={"none": {}, "weak": {"l2": {"strength": 0.1}}},
    seeds=2,
)


def planned(device: str) -> Planned:
    """Return the study as it is planned where there is such a device."""
    content = look(PARAMS.dataset)
    return Planned(PARAMS, content, device, plan.plan(PARAMS, content.sha256, device), {})


def recorded(device: str, folder: Path) -> Record:
    """Return the record of fits on a device; who computed them says the key alone."""
    one, store = planned(device), Store(folder)
    for spec in one.specs.values():
        store.put(spec, executors.compute_one(replace(spec, device="cpu")))
    return study.recorded(one, store, {})


def off(fit: Fit, **by: float) -> Result:
    """Return a fit as it is found again, metrics off by so much."""
    metrics = {name: value + by.get(name, 0.0) for name, value in fit.metrics.items()}
    return Result("ok", "", metrics, fit.curves)


def spec_of(device: str, **other: Any) -> FitSpec:
    """Return a fit of the study, or one that is a little other."""
    return replace(planned(device).specs["none", 0], **other)


def test_a_record_of_a_gpu_names_how_far_its_numbers_may_be_off(tmp_path: Path) -> None:
    """It is read back, and stands among the facts that the notebook and the page show."""
    record = recorded("cuda", tmp_path)
    record.save(tmp_path / "record.json")

    assert record.versions[FACT] == "within 0.03 in a share and 0.1 in all else"
    assert f"- **{FACT}**: within 0.03" in record.provenance()
    assert Record.load(tmp_path / "record.json") == record


def test_a_record_of_a_processor_is_what_it_was(tmp_path: Path) -> None:
    """Its numbers are found again to the last bit, and nothing is said of it: not a byte is new."""
    record = recorded("cpu", tmp_path)

    assert [*record.versions] == ["python", "studylib", *plan.DECIDING_PACKAGES, "machine"]
    assert OF["cpu"] == EQUAL
    assert tolerances.agreed(record) == "equal"


def test_fits_of_a_gpu_are_held_to_what_their_record_states(tmp_path: Path) -> None:
    """A share may be off by 0.03, a loss by 0.1; a little more is a difference, which is named."""
    record = recorded("cuda", tmp_path)
    fit, bound = record.fits[0], tolerances.bound([], spec_of("cuda"))
    near = off(fit, test_accuracy=0.029, test_nll=0.09)
    far = off(fit, test_accuracy=0.031, train_nll=1.0)

    assert tolerances.agreed(record) == "within 0.03 in a share and 0.1 in all else, as records of cuda state"
    assert [*fits.fit_differences(fit, near, bound)] == []
    assert [one.what for one in fits.fit_differences(fit, far, bound)] == ["test_accuracy", "train_nll"]


@pytest.mark.parametrize(
    ("device", "other"),
    [
        ("cpu", {}),
        ("cuda", {"regularizers": {"low_rank": {"rank": 2}}}),
        ("cuda", {"training": {"optimizer": "exact"}}),
    ],
    ids=["on a processor", "trained by itself", "solved exactly"],
)
def test_whatever_does_not_depend_on_others_is_equal(
    device: str, other: dict[str, Any], tmp_path: Path
) -> None:
    """The last digit counts on a processor, and on a GPU for what is in no stack."""
    fit = recorded("cpu", tmp_path).fits[0]
    bound = tolerances.bound([], spec_of(device, **other))

    assert [*fits.fit_differences(fit, off(fit), bound)] == []
    assert [one.what for one in fits.fit_differences(fit, off(fit, test_nll=1e-15), bound)] == ["test_nll"]


def test_a_record_of_a_gpu_that_states_nothing_is_read_and_held_to_the_same(tmp_path: Path) -> None:
    """Those of earlier versions named the processor alone: another kind of machine is allowed as much."""
    recorded("cuda", tmp_path).save(tmp_path / "record.json")
    data = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    del data["versions"][FACT]
    (tmp_path / "record.json").write_text(json.dumps(data), encoding="utf-8")
    record = Record.load(tmp_path / "record.json")
    other = tolerances.other_versions(record)

    assert [line.partition(" ")[0] for line in other] == ["machine"]
    assert tolerances.bound(other, spec_of("cuda")) == tolerances.Bound(*TRAINED)

"""Keys of fits: everything that decides numbers is in them, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, fields, replace
from typing import Any

from studylib import params, plan, regularizers
from studylib.plan import FitSpec

SPEC = FitSpec(
    dataset={"name": "digits", "train": 60},
    model={"name": "mlp", "hidden": [8]},
    regularizers={"l1": {"strength": 0.1}, "dropout": {"rate": 0.5}},
    training={"epochs": 2, "learning_rate": 0.001},
    seed=0,
    device="cpu",
    content="0" * 64,
    code="1" * 64,
    versions={"torch": "2.13.0"},
)
CHANGES: dict[str, Any] = {
    "dataset": {"name": "digits", "train": 61},
    "model": {"name": "mlp", "hidden": [8, 8]},
    "regularizers": {"l1": {"strength": 0.1}},
    "training": {"epochs": 2, "learning_rate": 0.0010000000000000002},
    "seed": 1,
    "device": "cuda",
    "content": "2" * 64,
    "code": "2" * 64,
    "versions": {"torch": "2.13.1"},
    "fold": {"of": 5, "held": 2},
}


def vision(**changes: Any) -> params.StudyParams:
    """Return the parameters of a small run."""
    arms = {"none": {}, "λ": {"l1": {"strength": 0.1}}}
    return params.study_params("vision", **{"seeds": 2, "arms": arms, **changes})


def keys(one: params.StudyParams) -> dict[tuple[str, int], str]:
    """Return the key of each fit of a run."""
    return {pair: spec.key for pair, spec in plan.plan(one, "0" * 64, "cpu").items()}


def test_equal_specifications_have_equal_keys() -> None:
    """Also after a round trip through JSON, as tuples and lists are the same there."""
    again = FitSpec(**json.loads(json.dumps(asdict(SPEC))))

    assert again.key == SPEC.key
    assert len(SPEC.key) == 64


def test_the_key_does_not_depend_on_the_order_in_which_things_were_written() -> None:
    """A mapping has no order, at any depth."""
    turned = {field.name: getattr(SPEC, field.name) for field in fields(SPEC)}
    for name, value in turned.items():
        if isinstance(value, dict):
            turned[name] = dict(reversed(value.items()))

    assert FitSpec(**turned).key == SPEC.key


def test_every_field_changes_the_key() -> None:
    """Down to the last bit of a learning rate; no two of the changes collide."""
    changed = [replace(SPEC, **{name: value}).key for name, value in CHANGES.items()]

    assert CHANGES.keys() == {field.name for field in fields(SPEC)}
    assert len({SPEC.key, *changed}) == len(changed) + 1


def test_the_key_is_the_same_in_every_process() -> None:
    """A store that was filled yesterday is found today."""
    program = f"from studylib.plan import FitSpec; print(FitSpec(**{asdict(SPEC)!r}).key)"
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert elsewhere.stdout.strip() == SPEC.key


def test_a_plan_has_a_fit_for_each_arm_and_seed() -> None:
    """In the order of the arms, and of the seeds within each."""
    assert list(keys(vision())) == [("none", 0), ("none", 1), ("λ", 0), ("λ", 1)]


def test_more_seeds_keep_the_fits_that_there_were() -> None:
    """Ten seeds after five cost five: an arm or a seed that is added changes no other key."""
    few, many = keys(vision()), keys(vision(seeds=4))
    arms = keys(vision(arms={"none": {}, "λ": {"l1": {"strength": 0.1}}, "new": {"l2": {"strength": 0.1}}}))

    assert few.items() <= many.items()
    assert few.items() <= arms.items()


def test_the_name_of_an_arm_and_what_judges_it_decide_no_number() -> None:
    """The same training under another name, or judged by another metric, is known already."""
    renamed = keys(vision(arms={"a": {}, "b": {"l1": {"strength": 0.1}}}))
    judged = keys(vision(metric="test_nll", smallest_effect=0.5))

    assert list(renamed.values()) == list(keys(vision()).values()) == list(judged.values())


def test_what_an_arm_changes_is_in_its_keys_alone() -> None:
    """A model and a training of its own."""
    own = {"model": "mlp", "training": {"epochs": 3}}
    before, after = keys(vision(arms={"none": {}, "a": {}})), keys(vision(arms={"none": {}, "a": own}))

    assert before["none", 0] == after["none", 0]
    assert before["a", 0] == before["none", 0] != after["a", 0]


def test_device_and_data_are_in_every_key() -> None:
    """Both come from the machine that plans, not from the parameters."""
    one = vision()
    seen = {
        spec.key
        for content, device in (("0" * 64, "cpu"), ("1" * 64, "cpu"), ("0" * 64, "cuda"))
        for spec in plan.plan(one, content, device).values()
    }

    assert len(seen) == 3 * len(keys(one))


def code(one: params.StudyParams) -> dict[str, str]:
    """Return the hash of the code of each arm of a run."""
    return {arm: spec.code for (arm, seed), spec in plan.plan(one, "0" * 64, "cpu").items() if seed == 0}


def test_the_code_of_a_fit_is_that_of_its_parts_and_of_its_trainer() -> None:
    """Another regularizer, model, dataset or trainer is other code; other settings are the same code."""
    arms = {
        "none": {},
        "λ": {"l1": {"strength": 0.1}},
        "more λ": {"l1": {"strength": 0.2}},
        "other": {"l2": {"strength": 0.1}},
        "model": {"model": {"name": "mlp", "hidden": [8]}},
    }
    found = code(vision(arms=arms))

    assert found["λ"] == found["more λ"]
    assert len(set(found.values())) == len(arms) - 1


def test_a_technique_decides_the_fits_that_use_it() -> None:
    """The code of a training without techniques is that of none, so that to edit one changes no key."""
    (spec, *_) = plan.plan(vision(arms={"none": {}}), "0" * 64, "cpu").values()
    techniques = {f"studylib.regularizers.{name}" for name in regularizers.CATALOGUE}

    assert techniques & set(plan.modules_of(spec)) == set()


def test_a_trainer_decides_the_fits_that_it_trains() -> None:
    """An exact solution and a descent are by different code, on the same data and the same model."""
    arms = {"exact": {}, "gradient": {"training": {"optimizer": "adamw"}}}
    found = code(params.study_params("tabular", seeds=2, arms=arms))

    assert found["exact"] != found["gradient"]

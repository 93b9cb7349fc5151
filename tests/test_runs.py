"""Which run is asked for, by file or by command line, and the command that asks for it again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from studylib import places, runs, sources
from studylib.errors import ParameterError
from studylib.runs import Request

ARM = "strong mixup={mixup: {alpha: 1.0}}"
SMOKE = places.project() / "params" / "vision" / "smoke.yaml"
REQUESTS: tuple[dict[str, Any], ...] = (
    {},
    {"file": SMOKE},
    {"file": SMOKE, "name": "mine"},
    {
        "settings": ["seeds=3", "training.epochs=5"],
        "arms": [ARM],
        "name": "my λ run",
    },
    {
        "settings": ["training={epochs: 5}", "arms.shift.shift.pixels=2"],
        "arms": ["it's $5={}", "b={l1: {strength: 1e-3}}"],
    },
)


def request(
    study: str = "vision",
    *,
    file: Path | None = None,
    settings: tuple[str, ...] | list[str] = (),
    arms: tuple[str, ...] | list[str] = (),
    name: str | None = None,
) -> Request:
    """Return what a command line asks for."""
    return runs.from_command_line(study, file, settings, arms, name)


def typed(command: str) -> Request:
    """Return what is asked for by a command as it is printed on a page, split as a shell would."""
    program, verb, study, *options = shlex.split(command)
    assert (program, verb) == ("studylib", "run")
    pairs = list(zip(options[::2], options[1::2], strict=True))
    by = {option: [value for name, value in pairs if name == option] for option in dict(pairs)}
    file, name = by.get("--params", [None])[0], by.get("--name", [None])[0]
    return request(
        study,
        file=Path(file) if file else None,
        settings=by.get("--set", []),
        arms=by.get("--arm", []),
        name=name,
    )


def complaint(**asked: Any) -> str:
    """Return what is said of a command line."""
    with pytest.raises(ParameterError) as caught:
        request(**asked)
    return str(caught.value)


@pytest.mark.parametrize("asked", REQUESTS)
def test_the_command_on_a_page_asks_for_the_same_run(asked: dict[str, Any]) -> None:
    """Typed into a shell, it gives the same parameters under the same name."""
    wanted = request(**asked)
    again = typed(wanted.command)

    assert again.params == wanted.params
    assert again.command == wanted.command


@pytest.mark.parametrize("device", [None, "auto"])
@pytest.mark.parametrize("run", ["default", "smoke"])
@pytest.mark.parametrize("study", sources.studies())
def test_every_study_has_its_runs_and_the_commands_for_them(
    study: str, run: str, device: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runs default and smoke are valid, and what `report` makes can be made one by one with `run`."""
    monkeypatch.chdir(places.project())
    wanted = runs.from_file(study, run, device)

    assert (wanted.params.study, wanted.params.run) == (study, run)
    assert device in {None, wanted.params.device}
    assert typed(wanted.command).params == wanted.params


def test_a_dotted_key_reaches_into_the_tree() -> None:
    """Each KEY=VALUE changes one value and leaves its neighbours; values follow YAML 1.2."""
    plain = request()
    params = request(settings=["training.epochs=5", "training.learning_rate=1e-3", "dataset.train=60"]).params

    assert (params.training.epochs, params.training.learning_rate) == (5, 0.001)
    assert params.training.batch_size == plain.params.training.batch_size
    assert params.dataset.named_settings()["train"] == 60


def test_an_arm_of_the_command_line_is_added_last() -> None:
    """And the baseline stays the baseline."""
    names = [arm.name for arm in request(arms=[ARM]).params.arms]

    assert names == [*(arm.name for arm in request().params.arms), "strong mixup"]


def test_an_arm_of_the_command_line_replaces_the_one_of_its_name() -> None:
    """Nothing of the old arm stays, its place does, and --set may then change a single value of it."""
    asked = request(arms=["mixup={cutout: {size: 2}}"], settings=["arms.mixup.cutout.size=5"]).params
    plain = request().params

    assert [arm.name for arm in asked.arms] == [arm.name for arm in plain.arms]
    [arm] = [arm for arm in asked.arms if arm.name == "mixup"]
    assert arm.regularizers == {"cutout": {"size": 5}}


def test_an_arm_may_have_an_equals_sign_in_its_name() -> None:
    """What follows the last sign before the braces is the arm."""
    assert request(arms=["λ=.1={l2: {strength: 0.1}}"]).params.arms[-1].name == "λ=.1"


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        ({}, "custom"),
        ({"file": SMOKE}, "smoke"),
        ({"name": "mine"}, "mine"),
        ({"file": SMOKE, "name": "mine"}, "mine"),
    ],
)
def test_a_run_is_named_by_option_else_by_file(asked: dict[str, Any], run: str) -> None:
    """And its three files are named after it."""
    wanted = request(**asked)

    assert wanted.params.run == run
    assert wanted.path(Path("out"), ".json") == Path("out") / "vision" / f"{run}.json"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"settings": ["seeds"]}, "--set: expected KEY=VALUE, got 'seeds'."),
        ({"settings": ["=3"]}, "--set: expected KEY=VALUE, got '=3'."),
        ({"settings": ["seeds: 3"]}, "--set: expected KEY=VALUE, got 'seeds: 3'."),
        ({"settings": ["arms.a={l1: [}"]}, "--set arms.a: line 1, column 7: not valid YAML: "),
        ({"arms": ["mine"]}, "--arm: expected NAME={regularizer: {setting: value}}, got 'mine'."),
        (
            {"arms": ["x={mixup: {alpha: 1.0}"]},
            "--arm x: line 1, column 21: not valid YAML: expected ',' or '}'",
        ),
        (
            {"settings": ["training=3", "training.epochs=5"]},
            "--set training.epochs=5: training has a value already, set by another --set.",
        ),
        (
            {"settings": ["training.epochs.x=5"]},
            "the command line: training.epochs.low: missing",
        ),
        ({"settings": [".=5"]}, "the command line: unknown parameter ''."),
        ({"name": "a/b"}, "name of the run: expected letters, "),
        ({"study": "visoin"}, "unknown study 'visoin'. Did you mean 'vision'?"),
        ({"file": Path("nowhere.yaml")}, "nowhere.yaml: there is no such file."),
    ],
)
def test_a_wrong_option_is_named(asked: dict[str, Any], said: str) -> None:
    """With its form, and what was given instead."""
    assert complaint(**asked).startswith(said)


def test_an_unknown_run_is_answered_with_the_runs_of_the_study() -> None:
    """The nearest one first."""
    with pytest.raises(ParameterError) as caught:
        runs.from_file("vision", "smok")

    known = ", ".join(runs.known("vision"))
    assert str(caught.value) == f"params/vision/smok.yaml: no such run. Did you mean 'smoke'? Known: {known}."

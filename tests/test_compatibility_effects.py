"""What would change nothing is refused before training, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from made_up import Grades, MadeUp, Pictures, Sentences

from studylib import models
from studylib.errors import ParameterError
from studylib.regularizers import EXAMPLES, make
from studylib.trainers.base import Training
from studylib.trainers.compatibility import refuse_misfits

if TYPE_CHECKING:
    from pathlib import Path


def refusal(dataset: MadeUp, model: str, techniques: dict[str, Any], **training: Any) -> str:
    """Return what is said against the combination; empty if nothing is."""
    built = [make(name, **settings) for name, settings in techniques.items()]
    try:
        refuse_misfits(dataset, models.CATALOGUE.example(model), built, Training(**training), "arms.a")
    except ParameterError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("schedule", ["strength_schedule", "late_dropout", "early_dropout"])
def test_a_schedule_does_not_turn_what_happens_once(schedule: str) -> None:
    """Labels are spoilt before the first epoch, so that no schedule over epochs can turn their share."""
    settings = {"shape": "rising"} if schedule == "strength_schedule" else {"epochs": 1}
    named = {"technique": "label_noise", **settings}
    arm = {"label_noise": {"rate": 0.2}, "l2": {"strength": 0.1}, schedule: named}

    said = refusal(Grades(), "mlp", arm)

    assert said == (
        f"arms.a.{schedule}: no technique with a strength matches 'label_noise'. In this arm: l2."
    )


@pytest.mark.parametrize("decay", ["weight_decay", "coupled_weight_decay"])
def test_a_strength_of_its_own_is_that_of_a_layer(decay: str) -> None:
    """A pattern that matches no layer, or none that the technique covers, is refused with those it covers."""

    def said(pattern: str, layers: str = "*") -> str:
        own = {"strength": 0.1, "layers": layers, "by_layer": {"output": 0.2, pattern: 0.3}}
        return refusal(Grades(), "mlp", {decay: own})

    covered = "hidden1, hidden2, output"
    assert said("conv*") == f"arms.a.{decay}: none of its layers matches 'conv*' of by_layer: {covered}."
    assert said("hidden1", layers="out*") == (
        f"arms.a.{decay}: none of its layers matches 'hidden1' of by_layer: output."
    )
    assert said("hidden?") == ""


@pytest.mark.parametrize(
    ("dataset", "model", "name"),
    [
        (Grades(), "linear", "mixup"),
        (Pictures(), "small_cnn", "cutmix"),
        (Sentences(), "text_cnn", "embedding_mixup"),
        (Grades(), "mlp", "batch_norm"),
        (Pictures(), "small_cnn", "ghost_batch_norm"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_needs_other_rows_needs_a_batch_of_them(dataset: MadeUp, model: str, name: str) -> None:
    """In batches of one row nothing is mixed, and a unit has no variance; both are refused."""
    arm = {name: EXAMPLES[name].model_dump()}

    assert refusal(dataset, model, arm, batch_size=1) == (
        f"arms.a.{name}: needs several rows in a batch, and training.batch_size is 1. Choose at least 2."
    )
    assert refusal(dataset, model, arm, batch_size=2) == ""


@pytest.mark.parametrize("name", ["batch_norm", "ghost_batch_norm"])
def test_a_feature_map_is_normalised_alone(name: str) -> None:
    """The places of one row's maps have a variance, with which it trains, unlike units."""
    assert refusal(Pictures(), "small_cnn", {name: {"layers": "conv*"}}, batch_size=1) == ""


def test_settings_by_layer_are_told_in_words_of_a_file() -> None:
    """A list where names and values belong is refused in the words of YAML, not of Python."""
    with pytest.raises(
        ParameterError, match=r"by_layer: expected settings such as \{name: value\}, got \[1\]"
    ):
        make("weight_decay", strength=0.1, by_layer=[1])


def test_missing_files_are_told_where_the_technique_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The place is that of the technique that was asked for, though several read the same synonyms."""
    folder = tmp_path / "open-english-wordnet" / "yaml"
    folder.mkdir(parents=True)
    (folder / "adj.all.yaml").write_text("no WordNet", encoding="utf-8")
    monkeypatch.setenv("STUDYLIB_DATA", str(tmp_path))
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))

    said = refusal(Sentences(), "text_cnn", {"eda": {"share": 0.1, "probability": 0.5}})

    assert said.startswith(f"arms.a.eda: {folder}")


STRONGER = {"shape": "rising", "start": 1.0, "epochs": 2}


@pytest.mark.parametrize(
    ("technique", "own", "end", "reason"),
    [
        ("dropout", {"rate": 0.5}, 2.0, ".rate: expected less than 1, got 1.0. It is 0.5 × 2, as a schedule"),
        ("label_smoothing", {"strength": 0.4}, 3.0, ".strength: expected less than 1, got 1.2"),
        ("weight_decay", {"strength": 0.5}, 3000.0, ": expected learning_rate × strength of at most 1"),
        (
            "weight_decay",
            {"strength": 0.0, "by_layer": {"output": 0.5}},
            3000.0,
            ": expected learning_rate × strength of at most 1, got 0.001 × 1500",
        ),
    ],
)
def test_a_schedule_that_asks_for_too_much_is_refused(
    technique: str, own: dict[str, Any], end: float, reason: str
) -> None:
    """The strength of the strongest epoch has to be allowed, which is known before the first."""
    schedule = {"technique": technique, "end": end, **STRONGER}

    def said(**training: Any) -> str:
        return refusal(Grades(), "mlp", {technique: own, "strength_schedule": schedule}, **training)

    assert said().startswith(f"arms.a.{technique}{reason}")
    assert said(epochs=2) == ""


def test_schedules_multiply() -> None:
    """Two that are allowed alone can ask for too much together, and by the gap any bound can be reached."""
    gap = {"technique": "dropout", "shape": "gap", "start": 0.0, "end": 2.0, "epochs": 4}
    arm = {"dropout": {"rate": 0.45}, "strength_schedule": gap}

    assert refusal(Grades(), "mlp", arm) == ""
    assert "It is 0.6 × 2" in refusal(Grades(), "mlp", arm | {"dropout": {"rate": 0.6}})
    assert refusal(Grades(), "mlp", arm | {"dropout": {"rate": 0.6}}, epochs=3) == ""
    halved = arm | {"dropout": {"rate": 0.6}, "early_dropout": {"epochs": 4}}
    assert refusal(Grades(), "mlp", halved) == ""


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("late_dropout", {"epochs": 5}, "switches off what it turns"),
        ("early_dropout", {"epochs": 5, "shape": "constant"}, "leaves what it turns as it is"),
    ],
)
def test_a_schedule_acts_within_the_training(name: str, settings: dict[str, Any], reason: str) -> None:
    """One that begins, or ends, after the last epoch would be the arm without it, or without dropout."""
    arm = {"dropout": {"rate": 0.5}, name: settings}

    assert refusal(Grades(), "mlp", arm, epochs=5) == (
        f"arms.a.{name}: {reason} in all epochs of training, 5. Lower its epochs, or raise training.epochs."
    )
    assert refusal(Grades(), "mlp", arm, epochs=6) == ""


@pytest.mark.parametrize("shape", ["constant", "rising", "falling", "gap"])
def test_a_schedule_of_strengths_may_stay_where_it_is(shape: str) -> None:
    """A factor that is meant to be the same for ever is no mistake, nor is a training of one epoch by it."""
    schedule = {"technique": "dropout", "shape": shape, "start": 1.0, "end": 1.0}

    assert refusal(Grades(), "mlp", {"dropout": {"rate": 0.5}, "strength_schedule": schedule}) == ""

"""What would change nothing is refused before training, with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from made_up import Grades, MadeUp, Pictures, Sentences

from studylib import models
from studylib.errors import ParameterError
from studylib.regularizers import EXAMPLES, make
from studylib.trainers.base import Training
from studylib.trainers.compatibility import refuse_misfits


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

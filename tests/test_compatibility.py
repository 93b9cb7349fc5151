"""What does not fit together is refused with place, reason and what would; what fits is let through."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from made_up import Grades, Measures, Prices

from studylib import datasets, models
from studylib.datasets.base import Dataset
from studylib.errors import ParameterError
from studylib.regularizers import EXAMPLES, make
from studylib.trainers.base import Training
from studylib.trainers.compatibility import EXACT, refuse_misfits

DIGITS, DIABETES, CANCER = ("digits", "diabetes", "breast_cancer")
TEXT, IMPORTS = ("docstrings", "imports")


def refusal(dataset: Dataset, model: str, techniques: dict[str, Any], **training: Any) -> str:
    """Return what is said against the combination; empty if nothing is."""
    built = [make(name, **settings) for name, settings in techniques.items()]
    try:
        refuse_misfits(dataset, models.CATALOGUE.example(model), built, Training(**training), "arms.a")
    except ParameterError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("dataset", "model", "techniques", "reasons"),
    [
        (
            DIABETES,
            "linear",
            {"spatial_dropout": {"rate": 0.2}},
            (
                "needs word vectors or feature maps",
                "the model linear has none",
                "Models for tables that have them: none.",
            ),
        ),
        (
            DIGITS,
            "mlp",
            {"spatial_dropout": {"rate": 0.2}},
            ("the model mlp has none", "Models for images that have them: small_cnn."),
        ),
        (
            DIABETES,
            "linear",
            {"dropout": {"rate": 0.2}},
            ("needs factors or hidden units", "Models for tables that have them: mlp."),
        ),
        (
            TEXT,
            "text_cnn",
            {"batch_norm": {}},
            ("needs layers that can be normalised", "Models for text that have them: none."),
        ),
        (DIGITS, "mlp", {"word_dropout": {"rate": 0.1}}, ("disturbs text", "digits holds images")),
        (TEXT, "text_cnn", {"rotate": {"degrees": 9.0}}, ("disturbs images", "docstrings holds text")),
        (
            TEXT,
            "text_cnn",
            {"mixup": {"alpha": 0.2}},
            ("disturbs images and series and tables", "docstrings holds text"),
        ),
        (
            IMPORTS,
            "matrix_factorization",
            {"input_noise": {"std": 0.1}},
            ("disturbs", "imports holds interactions"),
        ),
        (
            DIABETES,
            "linear",
            {"label_smoothing": {"strength": 0.1}},
            ("works for classification", "diabetes is a regression dataset"),
        ),
        (
            DIGITS,
            "mlp",
            {"embedding_l2": {"strength": 0.1}},
            ("works for ranking", "digits is a classification dataset"),
        ),
        (
            DIGITS,
            "mlp",
            {"l2": {"strength": 0.1, "layers": "conv*"}},
            ("no layer of mlp matches 'conv*'", "hidden1, hidden2, output"),
        ),
        (
            DIGITS,
            "small_cnn",
            {"dropout": {"rate": 0.1, "layers": "conv*"}},
            ("none of the layers that it fits matches 'conv*'", "hidden"),
        ),
        (
            DIGITS,
            "small_cnn",
            {"spatial_dropout": {"rate": 0.1, "layers": "output"}},
            ("none of the layers that it fits matches 'output'", "conv1, conv2"),
        ),
        (
            DIGITS,
            "mlp",
            {"weight_decay": {"strength": 2000.0}},
            ("learning_rate × strength of at most 1", "0.001 × 2000", "Lower one of the two"),
        ),
    ],
)
def test_a_regularizer_that_cannot_work_is_refused(
    dataset: str, model: str, techniques: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    """The message opens with the place, says why it cannot, and names what would fit."""
    fits = {"early_stopping": {"patience": 3}}
    data = datasets.CATALOGUE.example(dataset)
    said = refusal(data, model, fits | techniques)

    assert said.startswith(f"arms.a.{next(iter(techniques))}: ")
    assert [reason for reason in reasons if reason not in said] == []
    assert "\n" not in said
    assert refusal(data, model, fits) == ""


@pytest.mark.parametrize(
    ("dataset", "model", "fitting"),
    [
        (DIGITS, "text_cnn", "linear, mlp, small_cnn"),
        (CANCER, "small_cnn", "linear, mlp"),
        (TEXT, "mlp", "bag_of_words, lstm, text_cnn, transformer"),
        (IMPORTS, "linear", "matrix_factorization"),
    ],
)
def test_a_model_that_does_not_take_the_data_is_refused(dataset: str, model: str, fitting: str) -> None:
    """The message names both, and the models that do take it."""
    data = datasets.CATALOGUE.example(dataset)

    said = refusal(data, model, {})

    assert said.startswith(f"arms.a: the model {model} does not take {data.inputs}, which {dataset} holds. ")
    assert said.endswith(f" Models that do: {fitting}.")
    assert not any(refusal(data, name, {}) for name in fitting.split(", "))


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - EXACT - {"embedding_l2"}))
def test_the_exact_trainer_takes_no_technique_of_gradients(name: str) -> None:
    """Dropout, noise, stopping and the like are refused, with the techniques and trainers that fit."""
    said = refusal(Measures(), "linear", {name: EXAMPLES[name].model_dump()}, optimizer="exact")

    assert said == (
        f"arms.a.{name}: training.optimizer 'exact' takes l1, l2 and elastic_net only. Use 'adamw' or 'sgd'."
    )


def test_the_exact_trainer_takes_its_penalties() -> None:
    """The l1, l2 and elastic net of a regression and of two classes, alone and together, are let through."""
    techniques = {name: EXAMPLES[name].model_dump() for name in sorted(EXACT)}

    for dataset in (Measures(), Prices()):
        assert refusal(dataset, "linear", techniques, optimizer="exact") == ""
        assert not any(
            refusal(dataset, "linear", {name: techniques[name]}, optimizer="exact") for name in EXACT
        )


@pytest.mark.parametrize(
    ("dataset", "model", "reason"),
    [
        ("breast_cancer", "mlp", "solves the linear model on tables, not mlp on tables"),
        ("digits", "linear", "solves the linear model on tables, not linear on images"),
        ("docstrings", "bag_of_words", "solves the linear model on tables, not bag_of_words on text"),
    ],
)
def test_the_exact_trainer_takes_the_linear_model_on_tables(dataset: str, model: str, reason: str) -> None:
    """Anything else is refused, with the trainers that do take it."""
    said = refusal(datasets.CATALOGUE.example(dataset), model, {}, optimizer="exact")

    assert said == f"arms.a: training.optimizer 'exact' {reason}. Use 'adamw' or 'sgd'."


def test_the_exact_trainer_takes_three_classes() -> None:
    """A table of any number of classes is let through."""
    assert refusal(Grades(), "linear", {}, optimizer="exact") == ""


def test_combinations_are_checked_without_the_heavy_libraries() -> None:
    """Every dataset with every model and every regularizer, by either kind of trainer, loads none of them."""
    program = """
import sys
from studylib import datasets, models, regularizers
from studylib.errors import ParameterError
from studylib.trainers.base import Training
from studylib.trainers.compatibility import refuse_misfits

verdicts = []
for dataset in map(datasets.CATALOGUE.example, datasets.CATALOGUE):
    for model in map(models.CATALOGUE.example, models.CATALOGUE):
        for regularizer in regularizers.EXAMPLES.values():
            for optimizer in ("adamw", "exact"):
                try:
                    refuse_misfits(dataset, model, [regularizer], Training(optimizer=optimizer), "here")
                    verdicts.append(True)
                except ParameterError:
                    verdicts.append(False)
assert {True, False} == set(verdicts)
print(sorted({"torch", "pandas", "scipy", "sklearn", "matplotlib"} & sys.modules.keys()))
"""
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"

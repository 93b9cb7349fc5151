"""A fit, whole: what is measured on every kind of data, and that the test rows choose nothing."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest
from made_up import DATASETS, TEST, MadeUp, Measures, Pictures, Prices, Sentences, Visits
from trying import tried

from studylib import metrics, models
from studylib.errors import Divergence, ParameterError
from studylib.models.linear import Linear
from studylib.models.matrix_factorization import MatrixFactorization
from studylib.models.mlp import MLP
from studylib.models.small_cnn import SmallCNN
from studylib.models.text_cnn import TextCNN
from studylib.regularizers import EXAMPLES
from studylib.trainers import gradient, stacked
from studylib.trainers.base import Outcome, Training
from studylib.trainers.candidates import Settings, choices, open_settings
from studylib.trainers.compatibility import refuse_misfits
from studylib.trainers.fitting import SCORES, fit
from studylib.trainers.gradient import Trained
from studylib.trainers.measures import NEGLIGIBLE, sizes
from studylib.trainers.recommendations import pairwise_losses, ranked
from studylib.trainers.stacks import Member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from studylib.models.base import Model

PARTS = ("train", "validation", "test")
SMALL: dict[str, Model] = {
    "linear": Linear(),
    "mlp": MLP(hidden=(6,)),
    "small_cnn": SmallCNN(channels=(3,), hidden=5),
    "bag_of_words": models.CATALOGUE.make("bag_of_words", {"dimension": 5}),
    "text_cnn": TextCNN(dimension=5, filters=4),
    "matrix_factorization": MatrixFactorization(factors=5),
    "lstm": models.CATALOGUE.make("lstm", {"dimension": 5, "hidden": 4}),
    "series_lstm": models.CATALOGUE.make("series_lstm", {"hidden": 4}),
    "nlinear": models.CATALOGUE.make("nlinear", {}),
    "dlinear": models.CATALOGUE.make("dlinear", {"width": 3}),
    "transformer": models.CATALOGUE.make("transformer", {"dimension": 4, "blocks": 1, "heads": 2}),
}
FAST = Training(epochs=2, batch_size=16, learning_rate=0.02)
EXACT = Training(optimizer="exact", folds=4)


def fitted(
    dataset: MadeUp,
    settings: Settings | None = None,
    training: Training = FAST,
    model: str = "",
    seed: int = 1,
) -> Outcome:
    """Fit the dataset with its usual small model, or the one named; what is open is chosen by trials."""
    usual = {
        "images": "small_cnn",
        "tables": "linear",
        "text": "text_cnn",
        "series": "nlinear",
        "interactions": "matrix_factorization",
    }
    small = SMALL[model or usual[dataset.inputs]]
    if training.optimizer != "exact" and open_settings(settings or {}):
        return tried(dataset, small, settings or {}, training, seed=seed)[0]
    return fit(dataset, small, settings or {}, training, seed, "cpu")


PAIRS = [
    pytest.param(dataset, name, id=f"{type(dataset).__name__}-{name}")
    for dataset in DATASETS
    for name, model in SMALL.items()
    if dataset.inputs in model.inputs
]


def test_the_small_models_are_all_models() -> None:
    """A new model is added to the small ones of this file."""
    assert set(SMALL) == set(models.CATALOGUE)


@pytest.mark.parametrize(("dataset", "model"), PAIRS)
def test_a_fit_measures_every_metric_of_its_task(dataset: MadeUp, model: str) -> None:
    """Every part has every metric; all numbers are plain, finite, and the same twice."""
    outcome = fitted(dataset, model=model)
    expected = {key for key, metric in metrics.KEYS.items() if dataset.task in metric.tasks}

    assert expected <= set(outcome.metrics)
    assert all(type(value) is float and np.isfinite(value) for value in outcome.metrics.values())
    assert all(type(value) is float for curve in outcome.curves.values() for value in curve)
    assert len(outcome.curves["train_loss"]) == len(outcome.curves["validation_loss"]) == 2
    assert json.loads(json.dumps(outcome.metrics)) == outcome.metrics
    assert fitted(dataset, model=model) == outcome
    assert fitted(dataset, model=model, seed=2) != outcome


@pytest.mark.parametrize("dataset", [Measures(), Prices()], ids=lambda d: d.task)
def test_an_exact_fit_measures_the_same(dataset: MadeUp) -> None:
    """The metrics of a linear model do not depend on the trainer, apart from its epochs."""
    penalty = {"l2": {"strength": 0.1}}
    exact, stepped = fitted(dataset, penalty, EXACT), fitted(dataset, penalty)

    assert set(stepped.metrics) - set(exact.metrics) == {
        "best_epoch",
        "lowest_loss_epoch",
        "lowest_loss_steps",
    }
    assert set(exact.metrics) <= set(stepped.metrics)
    assert len(exact.curves["coefficients"]) == 5
    assert exact == fitted(dataset, penalty, EXACT)
    converged = Training(epochs=800, batch_size=40, learning_rate=0.05, precision="float64")
    strength = 0.1 if dataset.task == "regression" else 0.2  # two weight vectors share the weight
    close = fitted(dataset, {"l2": {"strength": strength}}, converged).metrics
    for part in PARTS:
        assert close[f"{part}_loss"] == pytest.approx(exact.metrics[f"{part}_loss"], abs=1e-6)


def let_through() -> Iterator[tuple[MadeUp, str, str]]:
    """Yield every dataset, model and regularizer that are not refused, but for what waits for its moment."""
    names = [name for name in EXAMPLES if name != "early_stopping"]
    for dataset, model, name in product(DATASETS, SMALL, names):
        try:
            refuse_misfits(dataset, SMALL[model], [EXAMPLES[name]], FAST, "")
        except ParameterError:
            continue
        yield dataset, model, name


@pytest.mark.parametrize(
    ("dataset", "model", "name"),
    [
        pytest.param(d, model, name, id=f"{type(d).__name__}-{model}-{name}")
        for d, model, name in let_through()
    ],
)
def test_a_technique_that_is_let_through_has_an_effect(dataset: MadeUp, model: str, name: str) -> None:
    """No combination trains as if the technique were not there: what cannot work is refused instead."""
    narrow = {"limit": 1e-3} if name in {"max_norm", "clip_norm", "clip_value"} else {}
    early = {"start": 0.0} if name == "swa" else {}
    settings = {**EXAMPLES[name].model_dump(), **narrow, **early}
    training = FAST.model_copy(update={"precision": "float64"})
    plain, changed = (fitted(dataset, arm, training, model) for arm in ({}, {name: settings}))
    unnoticed = (name, model) == ("random_swap", "bag_of_words")
    same_losses = changed.curves["train_loss"] == pytest.approx(plain.curves["train_loss"], rel=1e-9)

    assert (same_losses and changed.metrics == pytest.approx(plain.metrics, rel=1e-9)) == unnoticed


@pytest.mark.parametrize(
    ("dataset", "model", "name"),
    [(Prices(), "linear", "dropout"), (Pictures(), "mlp", "spatial_dropout"), (Sentences(), "mlp", "l1")],
    ids=["dropout", "spatial_dropout", "model"],
)
def test_a_technique_that_cannot_work_is_refused_here_too(dataset: MadeUp, model: str, name: str) -> None:
    """A fit that nobody checked before does not train without the technique in silence."""
    with pytest.raises(ParameterError, match=r"^fit"):
        fitted(dataset, {name: EXAMPLES[name].model_dump()}, model=model)


OPEN: list[tuple[type[MadeUp], Settings, Training]] = [
    (Pictures, {"dropout": {"rate": [0.0, 0.5, 0.9]}}, FAST),
    (Measures, {"l1": {"strength": {"low": 1e-3, "high": 1.0, "points": 4}}}, FAST),
    (Prices, {"l2": {"strength": [1e-3, 1.0]}, "input_noise": {"std": [0.1, 1.0]}}, FAST),
    (Sentences, {"word_dropout": {"rate": [0.0, 0.3, 0.6]}}, FAST),
    (Visits, {"embedding_l2": {"strength": [0.0, 0.01, 1.0]}}, FAST),
    (Measures, {"l1": {"strength": [1e-3, 0.03, 0.1, 1.0]}}, EXACT),
    (
        Prices,
        {"elastic_net": {"strength": {"low": 1e-3, "high": 1.0, "points": 5}, "mix": [0.1, 0.9]}},
        EXACT,
    ),
]
every_open = pytest.mark.parametrize(
    ("dataset", "settings", "training"), OPEN, ids=[f"{d.__name__}-{t.optimizer}" for d, _, t in OPEN]
)


@every_open
def test_the_test_rows_choose_nothing(dataset: type[MadeUp], settings: Settings, training: Training) -> None:
    """Other labels in the test rows give other test metrics, and leave everything else as it is."""
    first, second = (fitted(dataset(test_labels=labels), settings, training) for labels in (0, 7))
    changed = {name for name in first.metrics if first.metrics[name] != second.metrics[name]}
    taken = {name for name in first.metrics if name.startswith("chosen_")}

    assert len(taken) == sum(len(own) for own in settings.values())
    assert changed
    assert all(name.startswith("test_") for name in changed)
    assert first.score == second.score
    for curve in ("train_loss", "validation_loss", "coefficients"):
        assert first.curves.get(curve) == second.curves.get(curve)


@every_open
def test_the_best_candidate_is_taken_whole(
    dataset: type[MadeUp], settings: Settings, training: Training
) -> None:
    """The outcome is that of the chosen candidate fitted alone, and none scores lower on validation rows."""
    outcome = fitted(dataset(), settings, training)
    alone = [
        fitted(dataset(), {technique.name: technique.model_dump() for technique in candidate}, training)
        for candidate in choices(settings)
    ]
    measured = {name: v for name, v in outcome.metrics.items() if not name.startswith("chosen_")}
    curves = {name: own for name, own in outcome.curves.items() if name != SCORES}
    (taken,) = [other for other in alone if other.metrics == measured and other.curves == curves]

    if training is not EXACT:  # which chooses by cross-validation inside the train rows instead
        assert taken.score == outcome.score == min(other.score for other in alone)


def test_a_candidate_is_scored_by_its_predictions() -> None:
    """How many passes are averaged is chosen by the loss of the predictions, not by that of one pass."""
    settings: Settings = {"dropout": {"rate": 0.5}, "mc_dropout": {"samples": [1, 50]}}
    outcome = fitted(Measures(), settings, FAST, "mlp")

    assert outcome.metrics["chosen_mc_dropout_samples"] == 50
    assert outcome.score == outcome.metrics["validation_loss"]


@pytest.mark.parametrize("dataset", [Measures(), Prices()], ids=lambda d: d.task)
def test_validation_rows_choose_nothing_where_train_rows_are_cross_validated(dataset: MadeUp) -> None:
    """The exact trainer takes the same strength whatever the validation rows say."""
    settings: Settings = {"l1": {"strength": {"low": 1e-3, "high": 1.0, "points": 8}}}
    first = fitted(dataset, settings, EXACT)
    second = fitted(dataset.model_copy(update={"validation_labels": 7}), settings, EXACT)

    assert first.metrics["chosen_l1_strength"] == second.metrics["chosen_l1_strength"]
    assert first.curves["coefficients"] == second.curves["coefficients"]
    assert first.metrics["validation_loss"] != second.metrics["validation_loss"]


def test_a_candidate_that_diverges_is_not_taken() -> None:
    """The others go on; where none is left, the divergence is told."""
    training = Training(epochs=30, batch_size=16, optimizer="sgd", learning_rate=0.05)
    outcome = fitted(Prices(), {"l2": {"strength": [1e6, 0.1, 1e7]}}, training)

    assert outcome.metrics["chosen_l2_strength"] == 0.1
    with pytest.raises(Divergence, match=r"Lower training\.learning_rate"):
        fitted(Prices(), {"l2": {"strength": [1e6, 1e7]}}, training)


def test_weights_are_counted_and_measured() -> None:
    """The metrics nonzeros and weight_norm are those of the layers' weights, without biases."""
    split, training = Pictures().split(1), FAST.model_copy(update={"precision": "float64"})
    for strength in (0.0, 0.02, 100.0):
        ((penalty,),) = choices({"l1": {"strength": strength}})
        outcome = fitted(Pictures(), {"l1": {"strength": strength}}, training)
        module = gradient.train(split, SMALL["small_cnn"], [penalty], training, seed=1).module
        w = np.concatenate(
            [
                module.get_parameter(f"{x}.weight").detach().numpy().ravel()
                for x in SMALL["small_cnn"].layers()
            ]
        )

        assert outcome.metrics["nonzeros"] == np.count_nonzero(w)
        assert outcome.metrics["weight_norm"] == pytest.approx(np.linalg.norm(w), rel=1e-12)
        assert outcome.metrics["zero_share"] == pytest.approx((w == 0).mean(), abs=1e-15)
        assert (strength == 100.0) == (outcome.metrics["nonzeros"] == 0)
    exact = fitted(Prices(), {"l1": {"strength": 0.5}}, EXACT)
    coefficients = np.array(exact.curves["coefficients"])

    assert exact.metrics["nonzeros"] == np.count_nonzero(coefficients) < 5
    assert exact.metrics["weight_norm"] == pytest.approx(np.linalg.norm(coefficients))


def test_metrics_are_those_of_the_predictions() -> None:
    """Accuracy and loss of a fit are counted from what its trained module says of each part."""
    split = Pictures().split(1)
    outcome = fitted(Pictures())
    [trained] = stacked.train([Member(split, (), FAST, seed=1)], SMALL["small_cnn"])
    assert isinstance(trained, Trained)
    for part, examples in zip(PARTS, (split.train, split.validation, split.test), strict=True):
        logits = trained.predict(examples.x)
        log_odds = logits - np.log(np.exp(logits).sum(1, keepdims=True))
        loss = -log_odds[np.arange(len(examples)), examples.y].mean()

        assert outcome.metrics[f"{part}_accuracy"] == (logits.argmax(1) == examples.y).mean()
        assert outcome.metrics[f"{part}_loss"] == pytest.approx(loss, rel=1e-12)
    assert outcome.score == trained.validation_loss[-1]
    assert sum(outcome.curves["calibration_count"]) == TEST


def test_without_its_negligible_weights_a_layer_moves_by_a_hundredth_of_its_norm_at_most() -> None:
    """Negligible is measured against the weight's own layer; a zero is, and so are all of an empty layer."""
    rng = np.random.default_rng(0)
    layers = [rng.standard_t(2, (50, 40)), 1e-6 * rng.normal(size=(30,)), np.zeros((4, 5))]
    small = [np.abs(w) <= NEGLIGIBLE * np.sqrt((w**2).mean()) for w in layers]

    assert sizes(*layers)["negligible_share"] == sum(map(np.sum, small)) / sum(w.size for w in layers)
    assert all(
        np.linalg.norm(w[tiny]) <= 0.01 * np.linalg.norm(w) for w, tiny in zip(layers, small, strict=True)
    )
    assert 0 < small[0].mean() < 0.05
    assert small[2].all()
    assert sizes(*layers)["zero_share"] == pytest.approx(20 / 2050)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: type(d).__name__)
def test_every_fit_is_monitored(dataset: MadeUp) -> None:
    """Losses on all parts, their gap, the weights' size, and when the validation loss was lowest."""
    outcome = fitted(dataset, training=Training(epochs=5, batch_size=16, learning_rate=0.3))
    numbers, curve = outcome.metrics, outcome.curves["validation_loss"]
    steps = -(-len(dataset.split(1).train) // 16)
    epoch = int(np.argmin(curve)) + 1

    assert {f"{part}_loss" for part in PARTS} | {"weight_norm", "zero_share", "negligible_share"} <= set(
        numbers
    )
    assert numbers["loss_gap"] == numbers["validation_loss"] - numbers["train_loss"]
    assert numbers["best_epoch"] == 5  # whose weights are kept
    assert (numbers["lowest_loss_epoch"], numbers["lowest_loss_steps"]) == (epoch, epoch * steps)
    assert outcome.seconds_to_lowest > 0


def test_where_weights_are_kept_by_their_loss_the_kept_epoch_is_the_lowest() -> None:
    """Early stopping on the loss without a least improvement keeps the epoch that the pace is measured to."""
    training = Training(epochs=60, batch_size=8, learning_rate=0.1)
    outcome = fitted(Pictures(), {"early_stopping": {"patience": 4}}, training)

    assert outcome.metrics["best_epoch"] == outcome.metrics["lowest_loss_epoch"] < 60
    assert outcome.metrics["lowest_loss_steps"] == 5 * outcome.metrics["best_epoch"]


def test_the_loss_of_a_ranking_is_what_its_trainer_samples() -> None:
    """Over all pairs of an interaction and an item that no earlier part has used up, the mean −log σ."""
    split = Visits().split(1)
    scores = np.random.default_rng(2).normal(size=Visits.shape)
    measured, _ = ranked(scores, split)
    train, held, test = (
        {(int(u), int(i)) for u, i in examples.x} for examples in (split.train, split.validation, split.test)
    )
    used = {"train": train, "validation": train, "test": train | held}
    for part, pairs in zip(PARTS, (train, held, test), strict=True):
        losses = []
        for u, i in sorted(pairs):
            others = [j for j in range(Visits.shape[1]) if (u, j) not in used[part] and j != i]
            losses.append(np.log1p(np.exp(scores[u, others] - scores[u, i])).mean())

        assert measured[f"{part}_loss"] == pytest.approx(np.mean(losses), rel=1e-12)
    tied = pairwise_losses(np.zeros(Visits.shape), split.test.x, scores > 9)
    assert tied == pytest.approx(len(split.test) * np.log(2))

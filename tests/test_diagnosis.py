"""What ails an arm: the right answer where the truth is known, and no answer where there is none."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest

from studylib.compare.diagnosis import diagnoses
from studylib.datasets.digits import Digits
from studylib.models.mlp import MLP
from studylib.records import Fit, Record
from studylib.trainers.base import Training
from studylib.trainers.fitting import fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from studylib.trainers.candidates import Settings

    Curves = tuple[np.ndarray, np.ndarray]

EPOCHS = np.arange(1, 51)
NOISE = 0.01


def made(fits: Mapping[str, Sequence[Fit]], task: str = "classification") -> Record:
    """Return a record of those fits by arm."""
    dataset = {"name": "made up", "task": task, "classes": list("abcdefghij")}
    params = {"arms": {arm: {} for arm in fits}, "metric": "test_nll", "smallest_effect": 0.01}
    return Record("vision", "made", params, dataset, tuple(one for own in fits.values() for one in own), {})


def network(arm: str, seed: int, train: np.ndarray, validation: np.ndarray, epoch: int = 0) -> Fit:
    """Return a fit with those curves, which keeps the weights of an epoch, or of the last."""
    kept = epoch or len(validation)
    metrics = {
        "train_loss": float(train[kept - 1]),
        "validation_loss": float(validation[kept - 1]),
        "best_epoch": float(kept),
    }
    curves = {"train_loss": train.tolist(), "validation_loss": validation.tolist()}
    return Fit(arm, seed, metrics=metrics, curves=curves)


def overfitted(rng: np.random.Generator) -> Curves:
    """Return losses on train and validation rows that part after epoch 15: the latter rises by 0.25."""
    held = 2 * np.exp(-EPOCHS / 3) + 0.4 + 0.25 * np.maximum(EPOCHS - 15, 0) / 35
    return 2 * np.exp(-EPOCHS / 6), _noisy(held, rng)


def settled(rng: np.random.Generator) -> Curves:
    """Return losses that fall and stay."""
    return 2 * np.exp(-EPOCHS / 6) + 0.2, _noisy(2 * np.exp(-EPOCHS / 6) + 0.4, rng)


def unfinished(rng: np.random.Generator) -> Curves:
    """Return losses that fall to the end, almost the same on both kinds of rows."""
    return 2.2 - 0.9 * EPOCHS / 50, _noisy(2.22 - 0.9 * EPOCHS / 50, rng)


def _noisy(curve: np.ndarray, rng: np.random.Generator, scale: float = NOISE) -> np.ndarray:
    level, wave = rng.normal(0, scale), rng.normal(0, scale, len(curve))
    return curve + level + wave


def ended(curves: Curves, patience: int = 8) -> tuple[Curves, int]:
    """Return the curves up to where early stopping ends them, and the epoch that it keeps."""
    train, held = curves
    for epoch in range(1, len(held) + 1):
        best = int(np.argmin(held[:epoch])) + 1
        if epoch - best >= patience:
            return (train[:epoch], held[:epoch]), best
    return curves, int(np.argmin(held)) + 1


def study(rng: np.random.Generator, seeds: int = 10) -> Record:
    """Return a study of four arms of which one is of each kind, and one was stopped in time."""
    fits: dict[str, list[Fit]] = {"long": [], "stopped": [], "settled": [], "short": []}
    for seed in range(seeds):
        fits["long"].append(network("long", seed, *overfitted(rng)))
        curves, epoch = ended(overfitted(rng))
        fits["stopped"].append(network("stopped", seed, *curves, epoch))
        fits["settled"].append(network("settled", seed, *settled(rng)))
        fits["short"].append(network("short", seed, *unfinished(rng)))
    return made(fits)


def solved(arm: str, seed: int, train: float, validation: float) -> Fit:
    """Return a fit of a model without epochs."""
    return Fit(arm, seed, metrics={"train_loss": train, "validation_loss": validation})


def tables(rng: np.random.Generator, seeds: int = 10) -> Record:
    """Return a study of exact models: without penalty, with the right one, with too much."""
    luck = rng.normal(0, 0.05, seeds)  # of the split, which the arms share
    losses_of = {"none": (0.30, 0.80), "ridge": (0.42, 0.54), "lasso": (0.43, 0.545), "strong": (0.80, 0.86)}
    fits = {
        arm: [
            solved(arm, s, train + rng.normal(0, 0.01), validation + luck[s] + rng.normal(0, 0.01))
            for s in range(seeds)
        ]
        for arm, (train, validation) in losses_of.items()
    }
    return made(fits, "regression")


def told(record: Record) -> dict[str, str]:
    """Return the kind of each diagnosis by arm."""
    return {one.arm: one.kind for one in diagnoses(record)}


STUDIES: list[tuple[Callable[[np.random.Generator], Record], dict[str, str]]] = [
    (
        study,
        {"long": "overfitting", "stopped": "about right", "settled": "about right", "short": "underfitting"},
    ),
    (
        tables,
        {"none": "overfitting", "ridge": "about right", "lasso": "about right", "strong": "underfitting"},
    ),
]


@pytest.mark.parametrize(("draw", "truth"), STUDIES, ids=["curves", "no curves"])
def test_the_right_answers_are_given_in_95_of_100_studies(
    draw: Callable[[np.random.Generator], Record], truth: dict[str, str]
) -> None:
    """Ten seeds of noisy losses: every arm of a study is told for what it is, and hardly any for another."""
    rng = np.random.default_rng(0)
    answers = [told(draw(rng)) for _ in range(200)]
    wrong = [arm for found in answers for arm in truth if found[arm] not in {truth[arm], "cannot tell"}]

    assert sum(found == truth for found in answers) >= 0.95 * len(answers)
    assert len(wrong) <= 0.01 * len(answers) * len(truth)


@pytest.mark.parametrize(("arms", "seeds", "scale"), [(3, 5, 0.1), (3, 10, 0.5), (3, 20, 0.1), (10, 10, 0.1)])
def test_noise_is_no_disease(arms: int, seeds: int, scale: float) -> None:
    """Of studies whose arms differ by luck alone, on flat curves, at most 5 % say that an arm is ill.

    Within what 100 studies can show: 12 of them are met by chance once in 800 times.
    """
    rng = np.random.default_rng(1)
    train, validation = np.full(50, 0.6), np.full(50, 0.8)
    ill = 0
    for _ in range(100):
        fits = {
            f"arm {k}": [network(f"arm {k}", s, train, _noisy(validation, rng, scale)) for s in range(seeds)]
            for k in range(arms)
        }
        ill += bool({"overfitting", "underfitting"} & set(told(made(fits)).values()))

    assert ill <= 11


def test_what_cannot_be_seen_is_not_said() -> None:
    """Two seeds, one arm without a curve, or no finished fit give no diagnosis, and say what is missing."""
    rng = np.random.default_rng(3)
    few = diagnoses(tables(rng, seeds=2))
    [alone] = diagnoses(made({"none": [solved("none", s, 0.3, 0.8 + s / 100) for s in range(9)]}))
    lost, there = diagnoses(
        made(
            {
                "lost": [Fit("lost", 0, "diverged")],
                "there": [network("there", s, *settled(rng)) for s in range(9)],
            }
        )
    )

    assert [one.kind for one in few] == ["cannot tell"] * 4
    assert all("99.2 % interval), where" in one.evidence for one in few)
    assert (alone.kind, alone.evidence[:13]) == ("cannot tell", "there is neit")
    assert (lost.kind, lost.evidence) == (
        "cannot tell",
        "fewer than 2 seeds finished with a train and a validation loss",
    )
    assert there.kind == "about right"


def test_the_evidence_is_made_of_numbers_with_their_uncertainty() -> None:
    """What is said of an arm that overfits: when, by how much, and the gap."""
    record = study(np.random.default_rng(4))
    said = {one.arm: one.sentence for one in diagnoses(record)}
    number = r"-?\d+\.\d+ nats \(\d+\.\d+ to \d+\.\d+\)"

    assert re.fullmatch(
        r"overfitting: validation loss was lowest at epoch 1\d \(1\d to 1\d\) of 50 and rose by "
        rf"{number} after it; the gap at the end is {number}",
        said["long"],
    )
    assert re.fullmatch(
        rf"underfitting: validation loss still fell by {number} in the last quarter of 50 epochs, "
        rf"train loss by {number}, and the gap is {number}",
        said["short"],
    )
    assert said["settled"].startswith("about right: validation loss was lowest at epoch ")


def test_a_training_that_fell_apart_is_not_called_overfitting() -> None:
    """Where train and validation loss rise together, something else is wrong."""
    rng = np.random.default_rng(5)
    apart = np.where(EPOCHS > 40, 1.0, 0.0)
    fits = [network("none", s, settled(rng)[0] + apart, settled(rng)[1] + apart) for s in range(10)]
    [found] = diagnoses(made({"none": fits}))

    assert found.kind == "cannot tell"
    assert "but train loss changed by 0.99" in found.evidence


def test_a_loss_that_is_high_everywhere_is_noise_or_a_small_model() -> None:
    """Without a better arm beside it nobody can tell, however small the gap is."""
    rng = np.random.default_rng(6)
    fits = [network("none", s, settled(rng)[0] + 1.4, settled(rng)[1] + 1.3) for s in range(10)]
    [found] = diagnoses(made({"none": fits}))

    assert found.kind == "cannot tell"
    assert "where guessing costs 2.3" in found.evidence


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_records_that_measured_less_are_told_from_their_curves(kind: str) -> None:
    """Older records of rankings have no final losses: the kept epoch of the curves stands in for them."""
    record = study(np.random.default_rng(7))
    bare = [replace(one, metrics={"best_epoch": one.metrics["best_epoch"]}) for one in record.fits]
    bare = [replace(one, metrics={}) if one.arm != "stopped" else one for one in bare]
    older = replace(record, fits=tuple(bare), dataset={"name": "old", "task": kind})

    assert diagnoses(replace(record, dataset=older.dataset)) == diagnoses(older)


@cache
def small_networks() -> Record:
    """Return digits learnt from 60 of them: by a wide network, stopped in time or not, and by two units."""
    data = Digits(train=60, validation=200)
    long = Training(epochs=150, batch_size=60, learning_rate=0.01)
    arms: dict[str, tuple[MLP, Settings]] = {
        "wide": (MLP(hidden=(128,)), {}),
        "stopped": (MLP(hidden=(128,)), {"early_stopping": {"patience": 10}}),
        "two units": (MLP(hidden=(2,)), {}),
    }
    fits: dict[str, list[Fit]] = {name: [] for name in arms}
    for name, (model, settings) in arms.items():
        for seed in range(8):
            outcome = fit(data, model, settings, long, seed, "cpu")
            fits[name].append(Fit(name, seed, metrics=outcome.metrics, curves=outcome.curves))
    return made(fits)


def test_real_networks_are_told_for_what_they_are() -> None:
    """Trained for long on few digits a wide network overfits; stopped it is right; two units are too few."""
    assert told(small_networks()) == {
        "wide": "overfitting",
        "stopped": "about right",
        "two units": "underfitting",
    }


def test_a_final_loss_that_is_measured_otherwise_than_the_curve_is_no_rise() -> None:
    """The curve of a ranking is of a few items drawn, its final loss of all of them."""
    rng = np.random.default_rng(8)
    fits = [network("none", s, *settled(rng)) for s in range(10)]
    higher = [
        replace(one, metrics={**one.metrics, "validation_loss": one.metrics["validation_loss"] + 0.2})
        for one in fits
    ]

    assert told(made({"none": fits}, "ranking")) == told(made({"none": higher}, "ranking"))
    assert told(made({"none": higher})) == {"none": "overfitting"}

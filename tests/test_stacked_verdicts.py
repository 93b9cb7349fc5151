"""A whole study, its fits stacked and one by one: the same distribution of results, the same verdicts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from studylib import executors, plan
from studylib.compare import concluded
from studylib.components import build
from studylib.datasets.base import content_hash
from studylib.params import study_params
from studylib.records import Fit, Record
from studylib.stacking import stack_of
from studylib.trainers import gradient
from studylib.trainers.base import Training
from studylib.trainers.candidates import choices
from studylib.trainers.measures import supervised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from studylib.plan import FitSpec

    Specs = Mapping[tuple[str, int], FitSpec]

SEEDS = 50
METRICS = ("test_accuracy", "test_nll", "train_nll", "validation_loss")
PARAMS = study_params(
    "vision",
    dataset={"train": 60, "validation": 60},
    model={"name": "mlp", "hidden": [16]},
    training={"epochs": 8, "batch_size": 20, "learning_rate": 0.01},
    arms={
        "none": {},
        "dropout": {"dropout": {"rate": 0.02}},
        "far too strong": {"l2": {"strength": 1.0}},
    },
    metric="test_nll",
    smallest_effect=0.05,
    seeds=SEEDS,
)


def stacked(specs: Specs) -> dict[tuple[str, int], dict[str, float]]:
    """Return the metrics of all fits, those of an arm trained as one network."""
    stacks: dict[str, list[tuple[str, int]]] = {}
    for pair, spec in specs.items():
        stacks.setdefault(stack_of(spec), []).append(pair)
    found: dict[tuple[str, int], dict[str, float]] = {}
    for pairs in stacks.values():
        results = executors.compute_stack([specs[pair] for pair in pairs])
        found |= {pair: dict(one.metrics) for pair, one in zip(pairs, results, strict=True)}
    return found


def one_by_one(specs: Specs) -> dict[tuple[str, int], dict[str, float]]:
    """Return the metrics of all fits, each trained by the loop over one network."""
    found = {}
    for pair, spec in specs.items():
        [techniques] = choices(spec.regularizers)
        split = PARAMS.dataset.split(spec.seed)
        training = build(Training, spec.training, "training")
        trained = gradient.train(split, PARAMS.arms[0].model, techniques, training, spec.seed)
        found[pair] = supervised(trained.predictive, split)[0]
    return found


@cache
def records() -> tuple[Record, Record]:
    """Return the study of one way, and of the other."""
    specs = plan.plan(PARAMS, content_hash(PARAMS.dataset), "cpu")
    assert len({stack_of(spec) for spec in specs.values()} - {""}) == len(PARAMS.arms)
    facts = {"name": "digits", "task": "classification", "sha256": "", "unit": "", "train": 60}
    ways: tuple[Callable[[Specs], dict[tuple[str, int], dict[str, float]]], ...] = (stacked, one_by_one)
    fits = [tuple(Fit(*pair, metrics=own) for pair, own in way(specs).items()) for way in ways]
    both = [concluded(Record("vision", "both", PARAMS.to_dict(), facts, own, {})) for own in fits]
    return both[0], both[1]


def values(record: Record, arm: str, metric: str) -> np.ndarray:
    """Return the metric of each seed."""
    return np.array([fit.metrics[metric] for fit in record.finished(arm)])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("arm", [arm.name for arm in PARAMS.arms])
def test_fits_of_one_seed_end_alike(arm: str, metric: str) -> None:
    """The mean paired difference is below 0.5 % of what seeds differ by, that of no pair above 5 %."""
    ours, theirs = (values(record, arm, metric) for record in records())

    assert len(ours) == SEEDS
    assert abs(np.mean(ours - theirs)) <= 0.005 * np.std(theirs)
    assert np.abs(ours - theirs).max() <= 0.05 * np.std(theirs)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("arm", [arm.name for arm in PARAMS.arms])
def test_both_ways_draw_from_one_distribution(arm: str, metric: str) -> None:
    """Of 25 seeds stacked and the other 25 one by one, Kolmogorov and Smirnov cannot tell which is which.

    They do see the difference between arms: the test has power.
    """
    ours, theirs = (values(record, arm, metric) for record in records())
    strong = values(records()[0], "far too strong", metric)

    assert stats.ks_2samp(ours[:25], theirs[25:]).pvalue > 0.001
    assert arm == "far too strong" or stats.ks_2samp(ours[:25], strong[25:]).pvalue < 1e-6


def test_both_ways_give_the_same_verdicts() -> None:
    """Verdict, interval to a hundredth of its width, p value and headline of a study of 50 seeds × 3 arms."""
    ours, theirs = records()

    assert [one.verdict for one in ours.contrasts] == [one.verdict for one in theirs.contrasts]
    assert len({one.verdict for one in ours.contrasts}) == 2
    for one, other in zip(ours.contrasts, theirs.contrasts, strict=True):
        apart = 0.01 * (other.high - other.low)
        assert [one.difference, one.low, one.high] == pytest.approx(
            [other.difference, other.low, other.high], abs=apart
        )
        assert one.p_holm == pytest.approx(other.p_holm, rel=0.05, abs=1e-6)
    assert ours.headline == theirs.headline

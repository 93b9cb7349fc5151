"""What was watched: means with units by arm, from new records and old ones, and clock times beside them."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np
import pytest
from imaginary import classification, ranking, regression
from made_up import Pictures, Prices, Visits

from studylib import compare
from studylib.compare.durations import durations
from studylib.models.linear import Linear
from studylib.models.matrix_factorization import MatrixFactorization
from studylib.models.mlp import MLP
from studylib.plan import FitSpec
from studylib.records import Fit, Record
from studylib.statistics import paired_interval
from studylib.store import Result, Store
from studylib.trainers.base import Training
from studylib.trainers.fitting import fit

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.datasets.base import Dataset
    from studylib.models.base import Model
    from studylib.trainers.candidates import Settings

FAST = Training(epochs=4, batch_size=16, learning_rate=0.05)
EXACT = Training(optimizer="exact")
KINDS: dict[str, tuple[Dataset, Model, Training, dict[str, Settings], str]] = {
    "classes": (
        Pictures(),
        MLP(hidden=(6,)),
        FAST,
        {"none": {}, "l1": {"l1": {"strength": 0.05}}},
        "test_accuracy",
    ),
    "numbers": (Prices(), Linear(), EXACT, {"none": {}, "l1": {"l1": {"strength": 0.5}}}, "test_rmse"),
    "ranking": (
        Visits(),
        MatrixFactorization(factors=4),
        FAST,
        {"none": {}, "l2": {"l2": {"strength": 0.1}}},
        "test_ndcg_at_20",
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def measured(kind: str) -> Record:
    """Return a record of two arms with three seeds, trained in a moment."""
    dataset, model, training, arms, metric = KINDS[kind]
    fits = []
    for arm, settings in arms.items():
        for seed in range(3):
            outcome = fit(dataset, model, settings, training, seed, "cpu")
            fits.append(Fit(arm, seed, metrics=outcome.metrics, curves=outcome.curves))
    facts = {
        "name": "made up",
        "task": dataset.task,
        "classes": list(dataset.classes()),
        "unit": dataset.unit,
    }
    params = {"arms": {arm: {} for arm in arms}, "metric": metric, "smallest_effect": 0.01}
    return Record("vision", "made", params, facts, tuple(fits), {})


@every_kind
def test_every_number_is_the_mean_of_what_the_fits_measured(kind: str) -> None:
    """Losses, gaps, weights and pace by arm, with the interval of the mean over the seeds."""
    record = measured(kind)
    frame = compare.monitored(record)
    keys = {
        "train loss": ("train_loss", 1),
        "validation loss": ("validation_loss", 1),
        "test loss": ("test_loss", 1),
        "gap": ("loss_gap", 1),
        "weight norm": ("weight_norm", 1),
        "zero weights": ("zero_share", 100),
        "negligible weights": ("negligible_share", 100),
        "best epoch": ("lowest_loss_epoch", 1),
        "steps to best epoch": ("lowest_loss_steps", 1),
    }
    for arm in record.arms:
        own = frame[frame["arm"] == arm].set_index("number")
        for name, (key, scale) in keys.items():
            values = [scale * one.metrics[key] for one in record.finished(arm) if key in one.metrics]
            assert own.loc[name, "seeds"] == len(values)
            if values:
                expected = paired_interval(values)
                assert tuple(own.loc[name, ["mean", "low", "high"]]) == (
                    expected.mean,
                    expected.low,
                    expected.high,
                )
            else:
                assert own.loc[[name], "mean"].isna().all()
        assert len(own) == len(keys) + 1


@every_kind
def test_the_table_says_its_units_and_ends_with_the_diagnosis(kind: str) -> None:
    """A row per arm; a loss in nats where it is one; no columns of epochs where there are none."""
    record = measured(kind)
    frame = compare.monitoring(record)
    nats = "" if kind == "numbers" else " (nats)"
    gap = {"classes": "accuracy (points)", "numbers": "RMSE (coins)", "ranking": "NDCG at 20"}[kind]

    assert list(frame.index) == list(record.arms)
    assert list(frame)[:5] == [
        f"train loss{nats}",
        f"validation loss{nats}",
        f"test loss{nats}",
        f"gap{nats}",
        f"gap in {gap}",
    ]
    assert ("steps to best epoch" in frame) == (kind != "numbers")
    assert list(frame["diagnosis"]) == [one.kind for one in compare.diagnoses(record)]
    assert all(
        re.fullmatch(r"−?[\d\u202f]+(\.\d+)?", text)
        for text in frame.drop(columns="diagnosis").to_numpy().ravel()
    )


def test_sparse_weights_are_seen() -> None:
    """The lasso has zeros among its coefficients, which are negligible too; least squares has none."""
    frame = compare.monitored(measured("numbers")).set_index("number")
    none, l1 = (dict(zip(own.index, own["mean"], strict=True)) for _, own in frame.groupby("arm", sort=False))

    assert none["zero weights"] == 0
    assert 20 <= l1["zero weights"] <= l1["negligible weights"] <= 80


@pytest.mark.parametrize("record", [classification(), ranking(), regression()], ids=lambda one: one.study)
def test_older_records_have_empty_cells_and_no_errors(record: Record) -> None:
    """What was not measured then is left out; losses and the best epoch are read from curves."""
    frame, text = compare.monitored(record), compare.monitoring(record)
    known = set(frame[frame["seeds"] > 0]["number"])

    assert list(text.index) == list(record.arms)
    assert {"zero weights", "steps to best epoch", "test loss"} & known == set()
    assert ({"train loss", "gap", "best epoch"} <= known) == (record.study == "vision")
    assert len(compare.diagnoses(record)) == len(record.arms)


def test_arms_without_a_finished_fit_are_shown_empty() -> None:
    """A record in which everything diverged has its rows; a single seed has a mean and no interval."""
    record = measured("classes")
    lost = replace(
        record, fits=tuple(replace(one, status="diverged", metrics={}, curves={}) for one in record.fits)
    )
    one_seed = replace(record, fits=tuple(one for one in record.fits if one.seed == 0))
    frame = compare.monitored(one_seed)

    assert list(compare.monitoring(lost)) == ["diagnosis"]
    assert set(compare.monitoring(lost)["diagnosis"]) == {"cannot tell"}
    assert compare.monitored(lost)["mean"].isna().all()
    assert set(frame["high"]) == {inf}
    assert "" not in set(compare.monitoring(one_seed).to_numpy().ravel())


def test_clock_times_come_from_the_store_and_are_in_no_record(tmp_path: Path) -> None:
    """Mean seconds by arm of the fits that the store has whole; of the others there are none."""
    store = Store(tmp_path)
    record = classification()
    fits = []
    for one in record.fits:
        spec = FitSpec({"name": one.arm}, {}, {}, {}, one.seed, "cpu", "", "", {})
        seconds = 2.0 + one.seed
        if one.arm in {"none", "l2"} and one.seed != 5:
            pace = 0.0 if one.arm == "l2" else seconds / 4
            store.put(spec, Result("ok", "", one.metrics, {}, seconds=seconds, seconds_to_lowest=pace))
        fits.append(replace(one, key=spec.key))
    store.path(fits[1].key).write_text("{}", encoding="utf-8")
    frame = durations(replace(record, fits=tuple(fits)), store).set_index("arm")
    known = [2.0 + seed for seed in range(8) if seed not in {1, 5}]

    assert list(frame.index) == list(record.arms)
    assert tuple(frame.loc["none"]) == (6, pytest.approx(np.mean(known)), pytest.approx(np.mean(known) / 4))
    assert frame.loc["l2", "fits"] == 7
    assert list(frame.index[frame["seconds_to_best"].notna()]) == ["none"]
    assert frame.loc["mixup", "fits"] == 0
    assert list(frame.index[frame["seconds"].notna()]) == ["none", "l2"]
    assert not any(
        "second" in name for one in measured("classes").fits for name in (*one.metrics, *one.curves)
    )

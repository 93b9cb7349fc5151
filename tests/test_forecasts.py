"""Forecasts: linear models beside their closed forms, what a shift changes, and what is kept to be drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from made_up import Tides
from torch import nn

from studylib import datasets, models, study_params
from studylib.compare.losses import guessing, unit_of_loss
from studylib.datasets._series import Cuts, apart, together
from studylib.figures import draw_error_by_step, draw_forecasts
from studylib.forecasts import forecasts
from studylib.metrics import forecasting as measured
from studylib.models._series import moving_average
from studylib.models.dlinear import DLinear
from studylib.models.linear import Linear
from studylib.models.nlinear import NLinear
from studylib.models.series_lstm import SeriesLSTM
from studylib.records import Fit, Record
from studylib.regularizers import make
from studylib.seeds import initialising
from studylib.trainers._evaluation import MONITORED_ROWS
from studylib.trainers._forecasts import shown_windows
from studylib.trainers.base import Training
from studylib.trainers.fitting import fit
from studylib.trainers.gradient import train

SPLIT = Tides().split(0)
CONVERGED = Training(
    epochs=1000, batch_size=40, learning_rate=0.05, learning_rate_schedule="cosine", precision="float64"
)


def built(name: str, channels: int = 2, **settings: Any) -> nn.Module:
    """Return a model of eight steps that forecasts three, in float64."""
    with initialising(0):
        return models.CATALOGUE.make(name, settings).build((8, channels), 3).double().eval()


def series(channels: int = 2, rows: int = 6, length: int = 8) -> torch.Tensor:
    """Draw a batch of series."""
    draws = torch.Generator().manual_seed(channels)
    return torch.randn(rows, length, channels, generator=draws, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "settings"), [("nlinear", {}), ("series_lstm", {"level": "last", "hidden": 4})]
)
def test_what_follows_the_last_value_shifts_with_the_series(name: str, settings: dict[str, Any]) -> None:
    """A constant added to the first channel is added to the forecast, and one of another changes nothing."""
    module, x = built(name, **settings), series()
    shifted = x + torch.tensor([5.0, -70.0], dtype=torch.float64)

    torch.testing.assert_close(module(shifted), module(x) + 5, rtol=0, atol=1e-11)


def test_others_do_not_shift_with_the_series() -> None:
    """A linear map weighs the level, and an LSTM that reads values as they are saturates."""
    for name in ("linear", "dlinear", "series_lstm"):
        assert not torch.allclose(built(name)(series() + 5), built(name)(series()) + 5, atol=0.1)


def test_nlinear_is_its_formula() -> None:
    """x_T + W·(x − x_T) + b, with every channel's own last value taken away."""
    module, x = built("nlinear"), series()
    w, b = module.get_parameter("output.weight"), module.get_parameter("output.bias")
    by_hand = (x - x[:, -1:]).reshape(6, 16) @ w.T + b + x[:, -1, 0, None]

    torch.testing.assert_close(module(x), by_hand, rtol=0, atol=1e-13)


def test_dlinear_is_its_formula() -> None:
    """U·m + V·(x − m) + b with the moving average by hand, ends repeated."""
    module, x = built("dlinear", width=5), series()
    padded = np.pad(x.numpy(), ((0, 0), (2, 2), (0, 0)), mode="edge")
    m = torch.from_numpy(np.stack([padded[:, k : k + 5].mean(axis=1) for k in range(8)], axis=1))
    parts = dict(module.named_parameters())
    by_hand = m.flatten(1) @ parts["trend.weight"].T + parts["trend.bias"]
    by_hand = by_hand + (x - m).flatten(1) @ parts["remainder.weight"].T + parts["remainder.bias"]

    torch.testing.assert_close(moving_average(x, 5), m, rtol=0, atol=1e-13)
    torch.testing.assert_close(module(x), by_hand, rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("model", "strength"), [(Linear(), 0.1), (NLinear(), 0.3)], ids=["linear", "nlinear"]
)
def test_linear_forecasts_with_l2_are_ridge_in_closed_form(model: Linear | NLinear, strength: float) -> None:
    """The argmin of mean (XW + b − Y)² + λ·ΣW² over rows and steps, solved by the normal equations."""
    trained = train(SPLIT, model, [make("l2", strength=strength)], CONVERGED, 0)
    x, y = SPLIT.train.x.astype(float), SPLIT.train.y.copy()
    if model.name == "nlinear":
        y -= x[:, -1, :1]
        x = x - x[:, -1:]
    x = x.reshape(len(x), -1)
    middle_x, middle_y = x.mean(axis=0), y.mean(axis=0)
    gram = (x - middle_x).T @ (x - middle_x) / len(x)
    w = np.linalg.solve(
        gram + strength * y.shape[1] * np.eye(len(gram)), (x - middle_x).T @ (y - middle_y) / len(x)
    )
    output = trained.module.get_submodule("output")

    assert output.get_parameter("weight").detach().numpy() == pytest.approx(w.T, abs=1e-4)
    assert output.get_parameter("bias").detach().numpy() == pytest.approx(middle_y - middle_x @ w, abs=1e-4)


def test_a_forecast_is_measured_step_by_step() -> None:
    """The mean of the steps' errors is the mean squared error, and naive is to repeat the last value."""
    dataset = datasets.CATALOGUE.example("sunspots")
    outcome = fit(dataset, NLinear(), {}, Training(epochs=3), 0, "cpu")
    test = dataset.split(0).test
    naive = (test.y - test.x[:, -1]) ** 2
    metrics, curves = outcome.metrics, outcome.curves

    assert np.mean(curves["error_by_step"]) == pytest.approx(metrics["test_mse"])
    assert curves["naive_by_step"] == pytest.approx(naive.mean(axis=0).tolist())
    assert metrics["test_skill"] == pytest.approx(1 - metrics["test_mse"] / naive.mean())
    assert metrics["test_loss"] == metrics["test_mse"]
    assert [len(curves[f"forecast_{number}"]) for number in (1, 2, 3)] == [5, 5, 5]


def test_skill_is_that_of_knowing_better_than_the_last_value() -> None:
    """1 for the truth, 0 for the naive forecast, below for a worse one; without any naive error 1 or 0."""
    came, naive = np.arange(6.0).reshape(2, 3), np.full((2, 1), 1.0)

    assert measured(came, came, naive)["skill"] == 1
    assert measured(np.ones((2, 3)), came, naive)["skill"] == 0
    assert measured(came + 9, came, naive)["skill"] < 0
    assert [measured(np.full((2, 3), said), np.ones((2, 3)), naive)["skill"] for said in (1.0, 2.0)] == [1, 0]


def test_dropping_at_prediction_averages_values() -> None:
    """MC dropout of a forecast is the mean of its passes: the softmax of a horizon would mean nothing."""
    arm = [make("dropout", rate=0.3), make("mc_dropout", samples=50)]
    model, training = SeriesLSTM(hidden=4), Training(epochs=2)
    sampled, plain = (train(SPLIT, model, own, training, 0) for own in (arm, arm[:1]))
    x = SPLIT.test.x

    assert np.abs(sampled.predict(x) - plain.predict(x)).max() < 0.3
    assert not np.array_equal(sampled.predict(x), plain.predict(x))


def test_all_of_train_is_monitored_where_its_order_is_time() -> None:
    """The curve of a series whose level wanders is the loss of all train windows, not of the first ones."""
    values = np.random.default_rng(0).normal(size=(3 * MONITORED_ROWS, 1)).cumsum(axis=0)
    split = together(values, Cuts(0, 1200, 1300, 1400), 4, 2)
    training = Training(epochs=1, learning_rate=1e-9)
    trained = train(split, Linear(), [], training, 0)
    of_all = float(((trained.predict(split.train.x) - split.train.y) ** 2).mean())

    assert trained.train_loss[0] == pytest.approx(of_all, rel=0.05)


def test_the_same_seed_gives_the_same_bits_from_views_as_from_copies() -> None:
    """That windows share their memory shows in no number."""
    values = np.random.default_rng(1).normal(size=(80, 2)).cumsum(axis=0)
    views = apart(values, Cuts(0, 50, 65, 80), 6, 3)
    results = [
        train(views, DLinear(width=3), [make("input_noise", std=0.1)], Training(epochs=2), 7) for _ in "12"
    ]

    assert np.array_equal(results[0].predict(views.test.x), results[1].predict(views.test.x))
    assert np.array_equal(results[0].predict(views.test.x), results[0].predict(views.test.x.copy()))


def test_a_study_shows_its_forecasts_beside_what_came() -> None:
    """The windows are those of the split, the forecasts those of the record: the baseline, then the best."""
    params = study_params("forecasting")
    came = params.dataset.split(0).test
    rows = shown_windows(len(came))
    errors = {"linear": 0.4, "NLinear": 0.1, "LSTM": 0.3, "DLinear": 0.2, "LSTM + L2": 0.9}
    fits = tuple(
        Fit(
            arm,
            seed,
            metrics={"test_mse": error},
            curves={f"forecast_{place}": [error] * 26 for place in (1, 2, 3)},
        )
        for arm, error in errors.items()
        for seed in (0, 1)
    )
    asked = {**params.to_dict(), "arms": {arm: {} for arm in errors}}
    record = Record("forecasting", "made up", asked, {"task": "forecasting"}, fits, {})
    shown = forecasts(params, record)

    assert list(shown["arms"]) == ["linear", "NLinear", "DLinear", "LSTM"]
    assert np.array_equal(shown["came"], came.y[rows])
    assert np.array_equal(shown["past"], came.x[rows][:, -52:, 0])
    assert shown["arms"]["NLinear"].tolist() == [[0.1] * 26] * 3
    assert "Nearest to what came" in draw_forecasts(**shown).alt


def test_other_tasks_have_no_forecasts_to_show() -> None:
    """A notebook with arms or data of its user's own goes on, and its figures say why they are empty."""
    params = study_params("tabular")
    record = Record("tabular", "made up", params.to_dict(), {"task": "regression"}, (), {})

    assert "No forecasts to show" in draw_forecasts(**forecasts(params, record)).alt
    assert "No error by step" in draw_error_by_step(record).alt
    assert unit_of_loss(record) == ""
    assert guessing(Record("x", "y", {}, {"task": "forecasting"}, (), {})) == 1

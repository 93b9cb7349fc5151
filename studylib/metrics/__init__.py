"""What is measured: each metric is its formula, its unit, and the direction that is better.

Keys in params and records are ``<part>_<metric>`` with part train, validation or test, such as
``test_accuracy``; ``nonzeros`` belongs to the weights and has no part.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import TYPE_CHECKING

from studylib.errors import ParameterError, unknown
from studylib.metrics import meanings
from studylib.metrics.formulas import (
    accuracy,
    ece,
    log_likelihood,
    mae,
    mse,
    ndcg_at_20,
    nll,
    r2,
    recall_at_20,
    rmse,
    skill,
)
from studylib.metrics.formulas import calibration_bins as calibration_bins
from studylib.metrics.formulas import nonzeros as nonzeros
from studylib.metrics.hits import hits as hits
from studylib.metrics.metric import OF_TARGET as OF_TARGET
from studylib.metrics.metric import Metric as Metric

if TYPE_CHECKING:
    import numpy as np

PARTS = ("train", "validation", "test")


_METRICS = (
    Metric(
        "accuracy",
        "accuracy",
        frozenset({"classification"}),
        accuracy,
        higher_is_better=True,
        meaning=meanings.right_answers,
        unit="points",
        scale=100,
    ),
    Metric(
        "nll",
        "negative log-likelihood",
        frozenset({"classification"}),
        nll,
        higher_is_better=False,
        meaning=meanings.probability,
        unit="nats",
    ),
    Metric(
        "ece",
        "calibration error",
        frozenset({"classification"}),
        ece,
        higher_is_better=False,
        meaning=meanings.honesty,
    ),
    Metric(
        "rmse",
        "RMSE",
        frozenset({"regression", "rating"}),
        rmse,
        higher_is_better=False,
        meaning=meanings.typical_error,
        unit=OF_TARGET,
    ),
    Metric(
        "mae",
        "mean absolute error",
        frozenset({"regression", "forecasting", "rating"}),
        mae,
        higher_is_better=False,
        meaning=meanings.typical_error,
        unit=OF_TARGET,
    ),
    Metric(
        "mse",
        "mean squared error",
        frozenset({"forecasting"}),
        mse,
        higher_is_better=False,
        meaning=meanings.squared_error,
    ),
    Metric(
        "skill",
        "skill",
        frozenset({"forecasting"}),
        skill,
        higher_is_better=True,
        meaning=meanings.avoided,
        takes="forecasts",
    ),
    Metric("r2", "R²", frozenset({"regression"}), r2, higher_is_better=True, meaning=meanings.explained),
    Metric(
        "log_likelihood",
        "log-likelihood",
        frozenset({"regression"}),
        log_likelihood,
        higher_is_better=True,
        meaning=meanings.density,
        unit="nats",
        takes="densities",
    ),
    Metric(
        "recall_at_20",
        "recall at 20",
        frozenset({"ranking"}),
        recall_at_20,
        higher_is_better=True,
        meaning=meanings.found,
    ),
    Metric(
        "ndcg_at_20",
        "NDCG at 20",
        frozenset({"ranking"}),
        ndcg_at_20,
        higher_is_better=True,
        meaning=meanings.standing,
    ),
    Metric(
        "nonzeros",
        "number of non-zero weights",
        frozenset({"weights"}),
        nonzeros,
        higher_is_better=False,
        meaning=meanings.weights,
    ),
)
METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _METRICS}
KEYS: Mapping[str, Metric] = {
    key: metric
    for metric in METRICS.values()
    for key in ([metric.name] if "weights" in metric.tasks else [f"{part}_{metric.name}" for part in PARTS])
}


def metric_of(key: str, where: str = "") -> Metric:
    """Return the metric of a key such as ``test_accuracy`` or ``nonzeros``.

    Raises:
        ParameterError: no such key; the nearest one is named, with the place ``where`` it was asked for.
    """
    if key not in KEYS:
        raise unknown("metric", key, KEYS, where)
    return KEYS[key]


def refuse_misfit(key: object, task: str) -> None:
    """Refuse a deciding metric that is unknown, or that a dataset of ``task`` cannot be measured by.

    Raises:
        ParameterError: with the metrics that fit the task.
    """
    own = {task} if task in {"ranking", "rating"} else {task, "weights"}
    fitting = [key for key, metric in KEYS.items() if metric.tasks & own]
    if key not in fitting and str(key) in KEYS:
        given = f"{key} is for {' and '.join(sorted(KEYS[str(key)].tasks))}, but the dataset is for {task}"
        raise ParameterError(f"metric: {given}. Known: {', '.join(fitting)}.")
    if key not in fitting:
        raise unknown("metric", str(key), fitting)


def classification(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return every classification metric by name, for probabilities (n, classes) and class numbers (n,)."""
    return _all("classification", probabilities, labels)


def regression(prediction: np.ndarray, target: np.ndarray, scale: float = 1.0) -> dict[str, float]:
    """Return every regression metric by name, for arrays (n,) that ``scale`` takes to the target's unit."""
    return _all("regression", prediction.astype(float) * scale, target.astype(float) * scale)


def density(logs: np.ndarray, scale: float = 1.0) -> dict[str, float]:
    """Return every metric of predicted densities by name.

    Args:
        logs: ln p of each row's standardised target, shape (n,).
        scale: the standardised target times this is in the target's unit; the density is divided by it.
    """
    return _all("regression", logs.astype(float) - log(scale), takes="densities")


def forecasting(prediction: np.ndarray, target: np.ndarray, naive: np.ndarray) -> dict[str, float]:
    """Return every forecasting metric by name, for standardised values.

    Args:
        prediction: shape (n, horizon).
        target: what came, of the same shape.
        naive: what a forecast that knows no better says, shape (n, horizon) or (n, 1).
    """
    both = prediction.astype(float, copy=False), target.astype(float, copy=False)
    return _all("forecasting", *both) | _all("forecasting", *both, naive.astype(float), takes="forecasts")


def rating(prediction: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """Return every metric of ratings by name, for arrays (n,) of ratings as they are given."""
    return _all("rating", prediction.astype(float), target.astype(float))


def ranking(scores: np.ndarray, relevant: np.ndarray) -> dict[str, float]:
    """Return every ranking metric by name, for scores and relevance (rows, items) as ``hits`` takes them.

    Raises:
        ParameterError: no row has a relevant item.
    """
    return of_hits(*hits(scores, relevant))


def of_hits(found: np.ndarray, relevant: np.ndarray) -> dict[str, float]:
    """Return every ranking metric by name, for what ``hits`` gives, of all rows that are asked.

    Raises:
        ParameterError: there is no row.
    """
    if not len(found):
        raise ParameterError("ranking: expected a relevant item in at least one row, got none.")
    return _all("ranking", found, relevant)


def _all(task: str, *measured: np.ndarray, takes: str = "predictions") -> dict[str, float]:
    return {m.name: m.function(*measured) for m in METRICS.values() if task in m.tasks and m.takes == takes}

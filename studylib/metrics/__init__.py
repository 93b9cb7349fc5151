"""What is measured: each metric is its formula, its unit, and the direction that is better.

Keys in params and records are ``<part>_<metric>`` with part train, validation or test, such as
``test_accuracy``; ``nonzeros`` belongs to the weights and has no part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studylib.errors import ParameterError, unknown
from studylib.metrics import meanings
from studylib.metrics.metric import OF_TARGET as OF_TARGET
from studylib.metrics.metric import Metric as Metric

if TYPE_CHECKING:
    import numpy as np

PARTS = ("train", "validation", "test")
BINS = 15
TOP = 20


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Share of rows whose most probable class is the true one; 0 to 1, shown in percent."""
    return float((probabilities.argmax(1) == labels).mean())


def nll(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Negative log-likelihood −mean ln p(true class), in nats; 0 to 708.4.

    Probabilities are raised to the smallest normal float64, so that one certain mistake stays finite.
    """
    import numpy as np

    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).mean())


def ece(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error Σ (n_b/n)·|accuracy_b − confidence_b|; 0 to 1.

    Over 15 equal bins b of the top probability. Source: Guo et al. (2017), https://arxiv.org/abs/1706.04599
    """
    bins = calibration_bins(probabilities, labels)
    gaps = zip(bins["count"], bins["accuracy"], bins["confidence"], strict=True)
    return sum(n * abs(right - sure) for n, right, sure in gaps) / len(labels)


def rmse(prediction: np.ndarray, target: np.ndarray) -> float:
    """Root mean squared error √mean (prediction − target)², in the unit of the target; 0 upwards."""
    return float(((prediction - target) ** 2).mean() ** 0.5)


def mae(prediction: np.ndarray, target: np.ndarray) -> float:
    """Mean absolute error mean |prediction − target|, in the unit of the target; 0 upwards."""
    return float(abs(prediction - target).mean())


def mse(prediction: np.ndarray, target: np.ndarray) -> float:
    """Mean squared error mean (prediction − target)² of standardised values; 0 upwards."""
    return float(((prediction - target) ** 2).mean())


def r2(prediction: np.ndarray, target: np.ndarray) -> float:
    """Share of variance explained, 1 − Σ (prediction − target)²/Σ (target − mean)²; at most 1.

    A target without variance gives 1 where it is met exactly, else 0.
    """
    error = float(((prediction - target) ** 2).sum())
    spread = float(((target - target.mean()) ** 2).sum())
    return 1 - error / spread if spread else float(error == 0)


def recall_at_20(hits: np.ndarray, relevant: np.ndarray) -> float:
    """Relevant items among the 20 best scored as a share of all relevant ones, mean over rows; 0 to 1.

    Not divided by min(20, relevant) as some papers do: a row with more than 20 relevant items cannot reach 1.
    """
    return float((hits.sum(1) / relevant).mean())


def ndcg_at_20(hits: np.ndarray, relevant: np.ndarray) -> float:
    """Normalised discounted cumulative gain of the 20 best scored items, mean over rows; 0 to 1.

    Σ 1/log₂(1 + rank) over relevant items of rank 1 to 20, divided by the same sum for the best order.
    Source: Järvelin and Kekäläinen (2002), https://doi.org/10.1145/582415.582418
    """
    import numpy as np

    discounts = 1 / np.log2(np.arange(hits.shape[1]) + 2)
    ideal = discounts.cumsum()[np.minimum(relevant, hits.shape[1]) - 1]
    return float((hits @ discounts / ideal).mean())


def nonzeros(*weights: np.ndarray) -> float:
    """Number of weights that are not exactly zero; fewer is a sparser model."""
    return float(sum(int((w != 0).sum()) for w in weights))


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
    Metric("r2", "R²", frozenset({"regression"}), r2, higher_is_better=True, meaning=meanings.explained),
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


def forecasting(prediction: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """Return every forecasting metric by name, for arrays (n, horizon) of standardised values."""
    return _all("forecasting", prediction.astype(float), target.astype(float))


def rating(prediction: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """Return every metric of ratings by name, for arrays (n,) of ratings as they are given."""
    return _all("rating", prediction.astype(float), target.astype(float))


def ranking(scores: np.ndarray, relevant: np.ndarray) -> dict[str, float]:
    """Return every ranking metric by name.

    Args:
        scores: shape (rows, items), higher is better; −inf for what must not be recommended (train items).
        relevant: shape (rows, items), bool: what should have been recommended. Rows without any are left out.

    Raises:
        ParameterError: no row has a relevant item.
    """
    asked = relevant.any(1)
    if not asked.any():
        raise ParameterError("ranking: expected a relevant item in at least one row, got none.")
    return _all("ranking", _hits(scores[asked], relevant[asked]), relevant[asked].sum(1))


def calibration_bins(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, list[float]]:
    """Return mean confidence, accuracy and count in 15 equal bins (a, b] of the top probability.

    An empty bin has 0 in all three.
    """
    import numpy as np

    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    place = np.searchsorted(np.arange(1, BINS) / BINS, confidence, side="left")
    count, sure, correct = (np.bincount(place, v, BINS) for v in (np.ones(len(right)), confidence, right))
    filled = np.maximum(count, 1)
    bins = {"confidence": sure / filled, "accuracy": correct / filled, "count": count}
    return {name: values.tolist() for name, values in bins.items()}


def _all(task: str, *measured: np.ndarray) -> dict[str, float]:
    return {m.name: m.function(*measured) for m in METRICS.values() if task in m.tasks}


def _hits(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    import numpy as np

    count = min(TOP, scores.shape[1])
    some = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)
    values = np.take_along_axis(scores, some, axis=1)
    best = np.take_along_axis(some, np.argsort(-values, axis=1, kind="stable"), axis=1)
    # Among equal scores the first item wins; a partition alone would let the processor choose.
    tied = (scores >= values.min(1, keepdims=True)).sum(1) > count
    best[tied] = np.argsort(-scores[tied], axis=1, kind="stable")[:, :count]
    return np.take_along_axis(relevant, best, axis=1)

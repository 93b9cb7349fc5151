"""What is measured of a trained predictor, on train, validation and test rows alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from studylib.datasets.base import Split

POPULARITY_BINS = 5
CUTOFF = 20

Measured = tuple[dict[str, float], dict[str, list[float]]]


def supervised(predict: Callable[[np.ndarray], np.ndarray], split: Split) -> Measured:
    """Return metrics and curves of a predictor of classes (logits) or of a number (standardised).

    ``<part>_loss`` is the mean loss per example without any penalty.
    """
    measured: dict[str, float] = {}
    curves: dict[str, list[float]] = {}
    for part, examples in (("train", split.train), ("validation", split.validation), ("test", split.test)):
        outputs = predict(examples.x)
        values, loss = _measure(outputs, examples.y, split)
        measured |= {f"{part}_{name}": value for name, value in values.items()} | {f"{part}_loss": loss}
    if split.outputs > 1:
        bins = metrics.calibration_bins(_probabilities(outputs), split.test.y)
        curves |= {f"calibration_{name}": values for name, values in bins.items()}
    return measured, curves


def _measure(outputs: np.ndarray, y: np.ndarray, split: Split) -> tuple[dict[str, float], float]:
    if split.outputs > 1:
        measured = metrics.classification(_probabilities(outputs), y)
        return measured, measured["nll"]
    predicted = outputs.reshape(len(y))
    error = float(((predicted - y) ** 2).mean())
    return metrics.regression(predicted, y, split.target_scale), error


def _probabilities(logits: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    probabilities: np.ndarray = softmax(logits, axis=1)
    return probabilities


def sizes(*weights: np.ndarray) -> dict[str, float]:
    """Return how many of all ``weights`` are not exactly zero, and their Euclidean norm together."""
    squares = (float((w.astype("float64") ** 2).sum()) for w in weights)
    return {"nonzeros": metrics.nonzeros(*weights), "weight_norm": sum(squares) ** 0.5}


def ranked(scores: np.ndarray, split: Split) -> Measured:
    """Return metrics and curves of ``scores`` (rows, items).

    A part is ranked among the items that no earlier part's interaction has used up.
    """
    import numpy as np

    measured: dict[str, float] = {}
    open_scores = scores.copy()
    for part, seen, examples in (
        ("train", None, split.train),
        ("validation", split.train, split.validation),
        ("test", split.validation, split.test),
    ):
        if seen is not None:
            open_scores[seen.x[:, 0], seen.x[:, 1]] = -np.inf
        relevant = np.zeros(scores.shape, dtype=bool)
        relevant[examples.x[:, 0], examples.x[:, 1]] = True
        measured |= {f"{part}_{k}": v for k, v in metrics.ranking(open_scores, relevant).items()}
    return measured, {"recall_by_popularity": recall_by_popularity(open_scores, split)}


def recall_by_popularity(scores: np.ndarray, split: Split) -> list[float]:
    """Return the share of test interactions ranked in the top 20, by quintile of their item's popularity.

    Popularity is the number of train interactions of the item; the first bin holds the rarest fifth of the
    items; a bin that no test interaction falls into has 0. ``scores`` (rows, items) are −∞ where the row has
    a train or validation interaction; of equal scores the first item wins.
    """
    import numpy as np

    counts = np.bincount(split.train.x[:, 1], minlength=scores.shape[1])
    bins = np.empty(len(counts), dtype=int)
    bins[np.argsort(counts, kind="stable")] = np.arange(len(counts)) * POPULARITY_BINS // len(counts)
    rows, items = split.test.x.T
    hits, bin_of = _best(scores)[rows, items], bins[items]
    total = np.bincount(bin_of, minlength=POPULARITY_BINS)
    found = np.bincount(bin_of, hits, minlength=POPULARITY_BINS)
    shares: list[float] = (found / np.maximum(1, total)).tolist()
    return shares


def _best(scores: np.ndarray) -> np.ndarray:
    """Tell which items are among the 20 best scored of their row, shape of ``scores``."""
    import numpy as np

    count = min(CUTOFF, scores.shape[1])
    best: np.ndarray = scores >= np.partition(scores, -count, axis=1)[:, [-count]]
    tied = best.sum(1) > count
    order = np.argsort(-scores[tied], axis=1, kind="stable")
    best[tied] = np.argsort(order, axis=1) < count
    return best

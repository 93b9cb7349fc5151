"""The formulas behind the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

BINS = 15


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


def skill(prediction: np.ndarray, target: np.ndarray, naive: np.ndarray) -> float:
    """Share of a naive forecast's squared error that is avoided, 1 − mse(prediction)/mse(naive); at most 1.

    The naive one repeats the last value that is known: 0 is no better than that. Where it makes no
    error, 1 is none either, else 0. Source: Murphy (1988),
    https://doi.org/10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2
    """
    error, of_naive = mse(prediction, target), mse(naive, target)
    return 1 - error / of_naive if of_naive else float(error == 0)


def r2(prediction: np.ndarray, target: np.ndarray) -> float:
    """Share of variance explained, 1 − Σ (prediction − target)²/Σ (target − mean)²; at most 1.

    A target without variance gives 1 where it is met exactly, else 0.
    """
    error = float(((prediction - target) ** 2).sum())
    spread = float(((target - target.mean()) ** 2).sum())
    return 1 - error / spread if spread else float(error == 0)


def log_likelihood(densities: np.ndarray) -> float:
    """Mean of ln p(target) over rows, in nats, p being the density predicted in the unit of the target.

    A target that is measured in a unit k times as large has ln k more.
    """
    return float(densities.mean())


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

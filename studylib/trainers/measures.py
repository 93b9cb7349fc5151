"""What is measured of a trained predictor, on train, validation and test rows alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib import metrics
from studylib.trainers._forecasts import forecast_curves, repeated
from studylib.trainers._predictive import log_densities, noise_variance
from studylib.trainers.base import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from studylib.datasets.base import Examples, Split
    from studylib.trainers._predictive import Predictive
    from studylib.trainers._ranked import Factorized
    from studylib.trainers._rated import Rated
    from studylib.trainers.gradient import Trained

# of a layer's root mean square: without all smaller weights the layer moves by at most 1 % of its norm
NEGLIGIBLE = 0.01

Measured = tuple[dict[str, float], dict[str, list[float]]]


def supervised(predict: Callable[[np.ndarray], Predictive], split: Split) -> Measured:
    """Return metrics and curves of a predictor of classes (logits) or of a number (standardised).

    The density of a number is the mixture of normal distributions around all passes, with one variance: the
    one under which the validation rows are likeliest, so that their own likelihood flatters a little.

    ``<part>_loss`` is the mean loss per example without any penalty, and ``loss_gap`` that of validation rows
    less that of train rows.
    """
    held = predict(split.validation.x)
    measure = _measure(held, split)
    train = measure(predict(split.train.x), split.train)
    validation = measure(held, split.validation)
    said = predict(split.test.x)
    parts = {"train": train, "validation": validation, "test": measure(said, split.test)}
    measured = {f"{part}_{name}": value for part, values in parts.items() for name, value in values.items()}
    return measured | _gap(measured), _curves(said.outputs, split)


def _curves(outputs: np.ndarray, split: Split) -> dict[str, list[float]]:
    """Return what the ``outputs`` for the test rows are like: calibration of classes, steps of a forecast."""
    if split.classified:
        bins = metrics.calibration_bins(_probabilities(outputs), split.test.y)
        return {f"calibration_{name}": values for name, values in bins.items()}
    return forecast_curves(outputs, split.test) if split.test.y.ndim > 1 else {}


def _measure(held: Predictive, split: Split) -> Callable[[Predictive, Examples], dict[str, float]]:
    """Return what measures predictions of a part; ``held`` are those of the validation rows."""
    if split.classified:
        return _classes
    if split.validation.y.ndim > 1:
        return _forecasts
    variance = noise_variance(_values(held), split.validation.y)
    return lambda said, rows: _regression(said, rows.y, variance, split.target_scale)


def _classes(said: Predictive, rows: Examples) -> dict[str, float]:
    measured = metrics.classification(_probabilities(said.outputs), rows.y)
    return measured | {"loss": measured["nll"]}


def _forecasts(said: Predictive, rows: Examples) -> dict[str, float]:
    measured = metrics.forecasting(said.outputs.reshape(rows.y.shape), rows.y, repeated(rows))
    return measured | {"loss": measured["mse"]}


def _regression(said: Predictive, y: np.ndarray, variance: float, scale: float) -> dict[str, float]:
    predicted = said.outputs.reshape(y.shape)
    return {
        **metrics.regression(predicted, y, scale),
        **metrics.density(log_densities(_values(said), y, variance), scale),
        "loss": float(((predicted - y) ** 2).mean()),
    }


def _values(said: Predictive) -> np.ndarray:
    """Return the one value of each row in each pass, shape (samples, n)."""
    return said.passes.reshape(len(said.passes), -1)


def _probabilities(logits: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    probabilities: np.ndarray = softmax(logits, axis=1)
    return probabilities


def _gap(losses: Mapping[str, float]) -> dict[str, float]:
    return {"loss_gap": losses["validation_loss"] - losses["train_loss"]}


def sizes(*weights: np.ndarray) -> dict[str, float]:
    """Return ``nonzeros``, how many of all ``weights`` are not exactly zero, and what ``spread`` does."""
    return {"nonzeros": metrics.nonzeros(*weights)} | spread(*weights)


def spread(*weights: np.ndarray) -> dict[str, float]:
    """Return how large and how sparse ``weights`` are, an array of any shape per layer.

    ``zero_share``: the share that is exactly zero, 0 to 1. ``negligible_share``: the share with |w| at most
    0.01 times the root mean square of its layer, zeros among them. ``weight_norm``: their Euclidean norm, all
    layers together.
    """
    count = max(1, sum(w.size for w in weights))  # a factorization may have no factors
    squares = [w.astype("float64") ** 2 for w in weights if w.size]
    negligible = sum(int((square <= NEGLIGIBLE**2 * square.mean()).sum()) for square in squares)
    return {
        "zero_share": 1 - metrics.nonzeros(*weights) / count,
        "negligible_share": negligible / count,
        "weight_norm": sum(float(square.sum()) for square in squares) ** 0.5,
    }


def pace(validation_loss: Sequence[float], steps_per_epoch: int) -> dict[str, float]:
    """Return in which epoch, from 1, and after how many steps the validation loss was lowest, and first so.

    Whether the weights of that epoch were kept is another matter: ``best_epoch`` is the one that was.
    """
    epoch = lowest_epoch(validation_loss)
    return {"lowest_loss_epoch": float(epoch), "lowest_loss_steps": float(epoch * steps_per_epoch)}


def lowest_epoch(validation_loss: Sequence[float]) -> int:
    """Return the first epoch, from 1, of the lowest loss."""
    return validation_loss.index(min(validation_loss)) + 1


def monitored(outcome: Outcome, trained: Trained | Factorized | Rated) -> Outcome:
    """Return the outcome with what was seen on the way."""
    curves = {"train_loss": trained.train_loss, "validation_loss": trained.validation_loss}
    seen = {"best_epoch": float(trained.best_epoch)} | pace(trained.validation_loss, trained.steps_per_epoch)
    return Outcome(
        {**outcome.metrics, **seen},
        outcome.score,
        {**outcome.curves, **curves},
        trained.seconds[lowest_epoch(trained.validation_loss) - 1],
    )

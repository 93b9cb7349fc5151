"""Layers that take the place of others, in small real trainings with and without them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, final

import numpy as np

from studylib.datasets.digits import Digits
from studylib.datasets.docstrings import Docstrings
from studylib.figures._penalties import curves
from studylib.figures.style import ACCENT, MUTED, picture, sheet
from studylib.figures.words import percent
from studylib.models.lstm import LSTM
from studylib.models.mlp import MLP
from studylib.models.small_cnn import SmallCNN
from studylib.trainers.base import Training

if TYPE_CHECKING:
    from studylib.datasets.base import Dataset, Split
    from studylib.figures.picture import Picture
    from studylib.models.base import Model
    from studylib.regularizers.base import LayerRewiring, Regularizer
    from studylib.trainers.gradient import Trained

BINS = 45
EPOCHS = (1, 2, 4, 8, 15)  # after which a learned rate is looked at


@final
@dataclass(frozen=True)
class Setting:
    """What is trained, and in words."""

    dataset: Dataset
    model: Model
    training: Training
    words: str


# by the kind of layer that is replaced, the fastest first
SETTINGS = {
    "linear": Setting(
        Digits(train=1000, validation=300),
        MLP(hidden=(64,)),
        Training(epochs=15, batch_size=32, learning_rate=5e-3),
        "A network of 64 hidden units on 1 000 digits.",
    ),
    "convolution": Setting(
        Digits(train=300, validation=300),
        SmallCNN(channels=(4, 8), hidden=16),
        Training(epochs=15, batch_size=32, learning_rate=5e-3),
        "A small convolutional network on 300 digits.",
    ),
    "recurrent": Setting(
        Docstrings(length=15),
        LSTM(dimension=16, hidden=16),
        Training(epochs=15, batch_size=32, learning_rate=5e-3),
        "A small recurrent network on 240 docstrings.",
    ),
}
SETTINGS["embedding"] = SETTINGS["recurrent"]


def layer_rewiring(technique: LayerRewiring) -> Picture:
    """Draw the weights of a small training with and without the other layer, or the rates that it learns."""
    kind = next(kind for kind in SETTINGS if kind in technique.fits)
    setting = SETTINGS[kind]
    layers = [
        layer
        for layer, own in setting.model.layers().items()
        if own in technique.fits and technique.covers(layer)
    ]
    fits = _trained(kind), _trained(kind, technique)
    if rates_of(fits[1], layers):
        return _rates(technique, kind, layers)
    return _histograms([_weights(fit, layers) for fit in fits], [_right(fit, kind) for fit in fits], setting)


@cache
def _split(kind: str) -> Split:
    return SETTINGS[kind].dataset.split(0)


@cache
def _trained(kind: str, *techniques: Regularizer, epochs: int = 0) -> Trained:
    from studylib.trainers import gradient

    setting = SETTINGS[kind]
    training = setting.training.model_copy(update={"epochs": epochs}) if epochs else setting.training
    return gradient.train(_split(kind), setting.model, techniques, training, seed=0)


def _weights(fit: Trained, layers: Sequence[str]) -> np.ndarray:
    from studylib.trainers._rewiring import weights

    return np.concatenate([weights(fit.module, layer).detach().flatten().numpy() for layer in layers])


def _right(fit: Trained, kind: str) -> float:
    test = _split(kind).test
    return float((fit.predict(test.x).argmax(axis=1) == test.y).mean())


def _histograms(weights: Sequence[np.ndarray], right: Sequence[float], setting: Setting) -> Picture:
    """Draw weights without and with the technique, whose accuracies are ``right``."""
    zeros = float((weights[1] == 0).mean())
    spreads = [float(own.std()) for own in weights]
    title = f"With it the weights spread by {spreads[1]:.2g}, without it by {spreads[0]:.2g}"
    if zeros > 0.01:
        title = f"With it {percent(zeros, 0)} of the weights are exactly 0"
    rows = f"One training each: {percent(right[1])} of test rows right with it, {percent(right[0])} without."
    figure = sheet(3.1, title, f"{setting.words} {rows}")
    axes = figure.subplots()
    reach = float(np.quantile(np.abs(np.concatenate(list(weights))), 0.998))
    looks = (("without", MUTED, False), ("with it", ACCENT, True))
    for own, (name, colour, fill) in zip(weights, looks, strict=True):
        counts, edges = np.histogram(own, BINS, (-reach, reach))
        axes.stairs(
            100 * counts / len(own),
            edges,
            fill=fill,
            color=colour,
            alpha=0.45 if fill else 1,
            label=name,
            linewidth=1.6,
        )
    axes.set(xlabel="weight", ylabel="weights (%)")
    axes.legend(loc="upper right")
    told = f"The spread is {spreads[0]:.3g} without and {spreads[1]:.3g} with it"
    return picture(figure, f"{title}. {told}. {setting.words} {rows}")


def rates_of(fit: Trained, layers: Sequence[str]) -> dict[str, float]:
    """Return the dropout rates that a trained network has learnt, by layer; nothing if it learnt none."""
    from torch import Tensor

    rates = {layer: getattr(fit.module.get_submodule(layer), "rate", None) for layer in layers}
    return {layer: rate.item() for layer, rate in rates.items() if isinstance(rate, Tensor)}


def _rates(technique: LayerRewiring, kind: str, layers: Sequence[str]) -> Picture:
    # a training of few epochs is the beginning of one of many: the same arguments give the same numbers
    fits = [_trained(kind, technique, epochs=epochs) for epochs in EPOCHS]
    rates = [rates_of(fit, layers) for fit in fits]
    paths = {layer: 100 * np.array([one[layer] for one in rates]) for layer in layers}
    last = ", ".join(f"{path[-1]:.1f} % in {layer}" for layer, path in paths.items())
    title = f"The rates that it learnt: {last}"
    figure = sheet(3.0, title, f"{SETTINGS[kind].words} At the settings of the example below.")
    axes = figure.subplots()
    curves(axes, np.array(EPOCHS), paths)
    axes.set(xlabel="epoch", ylabel="learned dropout rate (%)")
    axes.set_ylim(bottom=0)
    axes.legend(loc="best")
    first = ", ".join(f"{path[0]:.1f} % in {layer}" for layer, path in paths.items())
    return picture(figure, f"{title}, after {EPOCHS[-1]} epochs. After the first they were {first}.")

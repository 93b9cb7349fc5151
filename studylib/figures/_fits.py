"""A small real training that overfits, and what is made of its outputs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from studylib import metrics
from studylib.datasets.digits import Digits
from studylib.figures.style import ACCENT, FAINT, SECOND, picture, sheet
from studylib.figures.words import percent
from studylib.models.mlp import MLP
from studylib.trainers.base import Training

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from studylib.datasets.base import Split
    from studylib.figures.picture import Picture
    from studylib.regularizers.base import Calibration, Regularizer, Sampling
    from studylib.trainers.gradient import Trained

NETWORK = MLP(hidden=(64,))
TRAINING = Training(epochs=60, batch_size=32, learning_rate=0.01)  # enough to overfit so few rows
WHERE = "A network of 64 hidden units after 60 epochs on 60 digits."


@cache
def split() -> Split:
    """Return the digits that all of them train on."""
    return Digits(train=60, validation=300).split(0)


@cache
def plain() -> Trained:
    """Return the training without any technique."""
    return trained()


def trained(*regularizers: Regularizer) -> Trained:
    """Return the network trained with these techniques."""
    from studylib.trainers import gradient

    return gradient.train(split(), NETWORK, regularizers, TRAINING, seed=0)


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return the class probabilities of scores (n, classes)."""
    from scipy.special import softmax

    shares: np.ndarray = softmax(outputs, axis=1)
    return shares


def input_gradient(y: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the gradient of the loss of the plain training, for rows of the classes ``y``, in its inputs."""
    import torch
    from torch.nn import functional

    module = plain().module.eval()

    def gradient(x: Tensor) -> Tensor:
        inputs = x.detach().clone().requires_grad_()
        loss = functional.cross_entropy(module(inputs), y, reduction="sum")
        (found,) = torch.autograd.grad(loss, inputs)
        return found

    return gradient


def calibration(technique: Calibration) -> Picture:
    """Draw accuracy against confidence on test rows, before and after."""
    import torch

    fit, data = plain(), split()
    outputs = [torch.from_numpy(fit.predict(part.x)) for part in (data.validation, data.test)]
    mapped = technique.fitted(outputs[0], torch.from_numpy(data.validation.y))
    shares = [probabilities(one.numpy()) for one in (outputs[1], mapped(outputs[1]))]
    sure = [float(one.max(axis=1).mean()) for one in shares]
    right = float((shares[1].argmax(axis=1) == data.test.y).mean())
    title = f"Mean confidence goes from {percent(sure[0])} to {percent(sure[1])}; {percent(right)} are right"
    figure = sheet(3.4, title, f"{WHERE} On the diagonal: right as often as it says.")
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color=FAINT, linewidth=1.2)
    styles = (("before", SECOND, "s--"), ("after", ACCENT, "o-"))
    for (name, colour, line), one in zip(styles, shares, strict=True):
        bins = {key: np.array(own) for key, own in metrics.calibration_bins(one, data.test.y).items()}
        kept = bins["count"] >= 10
        axes.plot(
            100 * bins["confidence"][kept],
            100 * bins["accuracy"][kept],
            line,
            color=colour,
            markersize=4.5,
            label=name,
        )
    axes.set(xlabel="confidence (%)", ylabel="accuracy (%)", xlim=(20, 102), ylim=(20, 102))
    axes.legend(loc="upper left")
    losses = [float(-np.log(one[np.arange(len(one)), data.test.y]).mean()) for one in shares]
    return picture(figure, f"{title}. The test loss goes from {losses[0]:.3f} to {losses[1]:.3f}.")


def sampling(technique: Sampling) -> Picture:
    """Draw the test loss of predictions that are averaged over more and more passes."""
    import torch

    from studylib.regularizers._modules import Noisy
    from studylib.regularizers.dropout import Dropout

    most = min(technique.samples, 50)
    module, data = trained(Dropout(rate=0.5)).module.eval(), split()
    x, y = torch.from_numpy(data.test.x), torch.from_numpy(data.test.y)
    with torch.no_grad():
        usual = _loss(module(x), y)
        for part in module.modules():
            if isinstance(part, Noisy):
                part.sampling = True
        passes = torch.stack([module(x) for _ in range(most)])
    counts = [k for k in (1, 2, 3, 5, 10, 20, 30, 50) if k <= most]
    losses = [_loss(technique.model_copy(update={"samples": k}).combined(passes[:k]), y) for k in counts]
    title = (
        f"The mean of {counts[-1]} passes has a test loss of {losses[-1]:.3f}, a single one {losses[0]:.3f}"
    )
    figure = sheet(3.0, title, f"{WHERE} Trained with dropout at rate 0.5.")
    axes = figure.subplots()
    axes.axhline(usual, color=SECOND, linestyle="--", label="one pass without dropping")
    axes.plot(counts, losses, color=ACCENT, marker="o", markersize=4.5, label="mean of passes that drop")
    axes.set(xlabel="passes", ylabel="test loss (nats)", xscale="log")
    axes.set_xticks(counts, [str(k) for k in counts])
    axes.minorticks_off()
    axes.legend(loc="upper right")
    return picture(figure, f"{title}. Without dropping, one pass has {usual:.3f}.")


def _loss(outputs: Tensor, y: Tensor) -> float:
    from torch.nn import functional

    return float(functional.cross_entropy(outputs, y))

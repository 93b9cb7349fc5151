"""What changes from epoch to epoch, and from step to step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studylib.figures import _fits
from studylib.figures.style import ACCENT, FAINT, MUTED, SECOND, picture, sheet
from studylib.seeds import Noise

if TYPE_CHECKING:
    from studylib.figures.picture import Picture
    from studylib.regularizers.base import Averaging, Stopping, StrengthSchedule, Unfreezing

EPOCHS = 30
LAYERS = ("embedding", "hidden1", "hidden2", "output")
STEPS = 10  # in an epoch
SEEN = "Losses are those of a network of 64 hidden units on 60 digits."


def stopping(technique: Stopping) -> Picture:
    """Draw losses of a training with the epoch whose weights are kept, and the one after which it ends."""
    fit = _fits.plain()
    losses, epochs = fit.validation_loss, range(1, len(fit.validation_loss) + 1)
    ends = next((k for k in epochs if technique.stop(losses[:k])), len(losses))
    kept = technique.best(losses[:ends]) + 1
    last = "and would go on" if not technique.stop(losses[:ends]) else f"and training ends after epoch {ends}"
    title = f"The weights of epoch {kept} are kept, {last}"
    figure = sheet(3.0, title, SEEN)
    axes = figure.subplots()
    axes.plot(epochs, fit.train_loss, color=MUTED, linestyle="--", label="train")
    axes.plot(epochs, losses, color=ACCENT, label="validation")
    axes.axvline(ends, color=FAINT, linewidth=1.2)
    axes.plot(kept, losses[kept - 1], "o", color=SECOND, markersize=8, label=f"kept: epoch {kept}")
    axes.set(xlabel="epoch", ylabel="loss (nats)", ylim=(0, 2.2 * min(losses)))
    axes.legend(loc="upper right")
    told = f"Its validation loss is {losses[kept - 1]:.3f}; after epoch {len(losses)} it is {losses[-1]:.3f}"
    return picture(figure, f"{title}. {told}.")


def strength_schedule(technique: StrengthSchedule) -> Picture:
    """Draw what the strength of the other techniques is multiplied by, in each epoch."""
    fit = _fits.plain()
    seen, held = fit.train_loss, fit.validation_loss
    factors = [technique.factor(e, EPOCHS, seen[:e], held[:e]) for e in range(EPOCHS)]
    low, high = min(factors), max(factors)
    reached = 1 + (factors.index(high) if factors[0] < factors[-1] else factors.index(low))
    way = "rises" if factors[0] < factors[-1] else "falls"
    title = (
        f"The strength {way} from {factors[0]:.3g} to {factors[-1]:.3g} times its value, by epoch {reached}"
    )
    if low == high:
        title = f"The strength is {low:.3g} times its value in all epochs"
    blind = [technique.factor(e, EPOCHS, [0.0] * e, [0.0] * e) for e in range(EPOCHS)]
    figure = sheet(2.6, title, SEEN if blind != factors else "It does not look at the losses.")
    axes = figure.subplots()
    axes.step(range(1, EPOCHS + 1), factors, color=ACCENT, where="mid")
    axes.set(xlabel="epoch", ylabel="times the strength", ylim=(min(0, low), 1.08 * max(high, 1e-9)))
    return picture(figure, f"{title}, in a training of {EPOCHS} epochs.")


def unfreezing(technique: Unfreezing) -> Picture:
    """Draw which layers learn in which epoch."""
    epochs = 10
    learns = np.array([[layer not in technique.frozen(LAYERS, e) for e in range(epochs)] for layer in LAYERS])
    first = [1 + int(row.argmax()) if row.any() else 0 for row in learns]
    begins = [
        f"{layer} {f'from epoch {epoch}' if epoch else 'never'}"
        for layer, epoch in zip(LAYERS, first, strict=True)
    ]
    title = f"{LAYERS[-1]} learns from epoch {first[-1]}, {LAYERS[0]} {begins[0].split(' ', 1)[1]}"
    figure = sheet(2.4, title, "Blue: the layer learns. White: it keeps the weights that it has.")
    axes = figure.subplots()
    for place, row in enumerate(learns):
        axes.barh(place, row.astype(float), left=np.arange(epochs) + 0.54, color=ACCENT, height=0.8)
    axes.set_yticks(range(len(LAYERS)), LAYERS)
    axes.set(xlabel="epoch", xlim=(0.5, epochs + 0.5), ylim=(-0.5, len(LAYERS) - 0.5))
    axes.set_xticks(range(1, epochs + 1))
    axes.grid(visible=False)
    return picture(figure, f"{title}. {'; '.join(begins)}.")


def averaging(technique: Averaging) -> Picture:
    """Draw a weight that noisy steps throw about, and its average."""
    weights = _noisy()
    average, averages = 0.0, []
    for step, weight in enumerate(weights, start=1):
        share = technique.share(step, STEPS, EPOCHS)
        average = (1 - share) * average + share * weight
        averages.append(average)
    last = 5 * STEPS
    spreads = [float(np.std(path[-last:])) for path in (weights, averages)]
    title = (
        f"In the last 5 epochs the average moves by {spreads[1]:.2g}, the weight itself by {spreads[0]:.2g}"
    )
    figure = sheet(2.9, title, "SGD on (w − 1)²/2 with noisy gradients, 10 steps in an epoch.")
    axes = figure.subplots()
    epochs = np.arange(1, len(weights) + 1) / STEPS
    axes.plot(epochs, weights, color=FAINT, linewidth=1.1, label="weight after each step")
    begun = next((k for k, one in enumerate(averages) if one), 0)
    axes.plot(epochs[begun:], averages[begun:], color=ACCENT, label="average")
    axes.set(xlabel="epoch", ylabel="weight (1 is best)", ylim=(-0.45, 1.7))
    axes.legend(loc="lower center", ncols=2)
    return picture(
        figure, f"{title}. At the end the average is {averages[-1]:.2f}, the weight {weights[-1]:.2f}."
    )


def _noisy() -> list[float]:
    import torch

    noise = Noise(0, "noise/picture").normal(EPOCHS * STEPS, like=torch.zeros(1, dtype=torch.float64))
    w, path = 0.0, []
    for one in noise.tolist():
        w -= 0.05 * (w - 1 + 1.5 * one)
        path.append(w)
    return path

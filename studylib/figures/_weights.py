"""What is done to weights and to their gradients around a step."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

import numpy as np

from studylib.figures._penalties import arrows
from studylib.figures.style import ACCENT, FAINT, MUTED, SECOND, picture, plain_numbers, sheet
from studylib.seeds import Noise

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.regularizers.base import Constraint, CoupledDecay, Decay, GradientRule, LayerRates

LAYERS = ("hidden1", "hidden2", "hidden3", "output")
RATE = 1e-3  # the learning rate that trainings have unless they say otherwise
UNITS = 60
SCALES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 0.5, 0.25, 0.125)


def decay(technique: Decay) -> Picture:
    """Draw a weight that has no gradient, step after step."""
    factor = technique.factor(LAYERS[0], RATE)
    half = log(0.5) / log(factor) if 0 < factor < 1 else 1.0
    steps = np.linspace(0, 4 * half, 61)
    left = 100 * factor**steps
    title = f"Half of a weight without a gradient is gone after {half:,.0f} steps".replace(",", " ")
    figure = sheet(2.7, title, f"At learning rate {RATE:g} and the strength of the example below.")
    axes = figure.subplots()
    axes.plot(steps, left, color=ACCENT)
    axes.set(xlabel="steps", ylabel="weight (% of the first)", ylim=(0, 102))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace(",", " "))
    return picture(figure, f"{title}, at learning rate {RATE:g}: each step multiplies it by {factor:.6g}.")


def coupled_decay(technique: CoupledDecay) -> Picture:
    """Draw what is left of weights under SGD and Adam, against how noisy their gradients are."""
    share, steps, rate = technique.share(LAYERS[0]), 300, 0.002
    noises = share * np.geomspace(0.1, 1000, 13)
    adam = 100 * _left_by_adam(noises, share, rate, steps)
    sgd = 100 * (1 - rate * share) ** steps
    title = f"Under Adam, a weight with noisy gradients keeps {adam[-1]:.0f} %, a quiet one {adam[0]:.0f} %"
    figure = sheet(3.0, title, f"Mean of 200 weights after {steps} steps at learning rate {rate:g}.")
    axes = figure.subplots()
    axes.axhline(sgd, color=SECOND, linestyle="--", label="SGD: the same for all")
    axes.plot(noises / share, adam, color=ACCENT, marker="o", markersize=4, label="Adam")
    axes.set(xscale="log", xlabel="noise of the gradient, in units of λ·w", ylabel="what is left (%)")
    axes.set_ylim(min(0, adam.min()), 108)
    plain_numbers(axes.xaxis)
    axes.legend(loc="lower right")
    return picture(figure, f"{title}. Under SGD all keep {sgd:.1f} %.")


def _left_by_adam(noises: np.ndarray, share: float, rate: float, steps: int) -> np.ndarray:
    import torch

    from studylib.trainers._optimizers import AdamW

    scale = torch.from_numpy(noises)[:, None]
    w = torch.ones(len(noises), 200, dtype=torch.float64)
    noise, optimizer = Noise(0, "noise/picture"), AdamW([w])
    for _ in range(steps):
        optimizer.step([scale * noise.normal(*w.shape, like=w) + share * w], rate)
    left: np.ndarray = w.mean(dim=1).numpy()
    return left


def layer_rates(technique: LayerRates) -> Picture:
    """Draw the share of the learning rate that each layer has."""
    shares = [100 * technique.share(layer, LAYERS) for layer in LAYERS]
    low, high = int(np.argmin(shares)), int(np.argmax(shares))
    slow, fast = (f"{LAYERS[k]} at {shares[k]:.0f} %" for k in (low, high))
    title = f"Shares of the learning rate go from {slow} to {fast}"
    figure = sheet(2.4, title, "Layers from input to output, with the settings of the example below.")
    axes = figure.subplots()
    axes.barh(range(len(LAYERS)), shares, color=ACCENT, height=0.6)
    axes.set_yticks(range(len(LAYERS)), LAYERS)
    axes.set(xlabel="share of the learning rate (%)", ylim=(len(LAYERS) - 0.5, -0.5))
    axes.grid(visible=False, axis="y")
    told = ", ".join(f"{layer} {share:.3g} %" for layer, share in zip(LAYERS, shares, strict=True))
    return picture(figure, f"{title}. {told}.")


def constraint(technique: Constraint) -> Picture:
    """Draw units of two weights before and after the projection."""
    before, after = _projected(technique)
    moved = ~np.isclose(before, after).all(axis=1)
    lengths = [float(np.linalg.norm(units, axis=1).max()) for units in (before, after)]
    title = f"{moved.sum()} of {UNITS} units lie outside the set, and are moved to its nearest point"
    figure = sheet(
        4.3, title, "Hollow: before. Filled: after. Each point is a unit with two incoming weights."
    )
    axes = figure.subplots()
    before_and_after(axes, before, after)
    axes.set(xlabel="first weight", ylabel="second weight", aspect="equal")
    told = f"The longest had length {lengths[0]:.3g}, and has {lengths[1]:.3g} afterwards"
    return picture(figure, f"{title}. {told}.")


def _projected(technique: Constraint) -> tuple[np.ndarray, np.ndarray]:
    """Return units (n, 2) before and after, on a scale where the projection has something to do."""
    import torch

    drawn = Noise(0, "noise/picture").normal(UNITS, 2, like=torch.zeros(1, dtype=torch.float64))
    for scale in SCALES:
        before = scale * drawn
        after = technique.project(before)
        if (before - after).abs().amax(dim=1).gt(1e-9 * scale).double().mean() > 0.25:
            break
    return before.numpy(), after.numpy()


def before_and_after(axes: Axes, before: np.ndarray, after: np.ndarray) -> None:
    """Draw points (n, 2) hollow where they were and filled where they are, with a line between."""
    gap = np.full(len(before), np.nan)
    ways = [np.stack([before[:, k], after[:, k], gap], axis=1).ravel() for k in (0, 1)]
    axes.plot(*ways, color=FAINT, linewidth=1)
    axes.plot(*before.T, "o", color=MUTED, markersize=4.5, markerfacecolor="white")
    axes.plot(*after.T, "o", color=ACCENT, markersize=3.5)


def gradient_rule(technique: GradientRule) -> Picture:
    """Draw gradients of two weights before and after."""
    before, after = _ruled(technique)
    sizes, changed = np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1)
    products = (before * after).sum(axis=1) / np.maximum(sizes * changed, 1e-30)
    turned = np.degrees(np.arccos(np.clip(products, -1, 1)))
    title = _ruling(sizes, changed, turned)
    figure = sheet(
        4.2, title, "Grey: before. Blue: what the step is taken along. Each is a gradient of its own."
    )
    axes = figure.subplots()
    origin = np.zeros_like(before)
    arrows(axes, origin, before, FAINT)
    arrows(axes, origin, after, ACCENT)
    reach = 1.1 * max(np.abs(before).max(), np.abs(after).max())
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    axes.set(xlabel="gradient of the first weight", ylabel="gradient of the second weight")
    was, now = (f"{own.min():.2g} to {own.max():.2g}" for own in (sizes, changed))
    return picture(figure, f"{title}. Lengths were {was}, and are {now}.")


def _ruled(technique: GradientRule) -> tuple[np.ndarray, np.ndarray]:
    import torch

    angles = torch.linspace(0.2, 6.0, 12, dtype=torch.float64)
    lengths = torch.tensor([0.4, 1.0, 1.6], dtype=torch.float64).repeat(4)
    drawn = lengths[:, None] * torch.stack([angles.cos(), angles.sin()], dim=1)
    noise = Noise(0, "noise/picture")
    for scale in SCALES:
        before = scale * drawn
        after = torch.cat([technique.apply([one[None]], noise, 0)[0] for one in before])
        if (before - after).norm(dim=1).gt(0.02 * before.norm(dim=1)).double().mean() > 0.3:
            break
    return before.numpy(), after.numpy()


def _ruling(sizes: np.ndarray, changed: np.ndarray, turned: np.ndarray) -> str:
    shorter = int((changed < 0.99 * sizes).sum())
    if turned.max() < 1:
        longest = f", to a length of at most {changed.max():.2g}" if shorter else ""
        return f"{shorter} of {len(sizes)} gradients are shortened{longest}; none is turned"
    return f"Gradients are turned, by {turned.mean():.0f}° on average; {shorter} of {len(sizes)} get shorter"

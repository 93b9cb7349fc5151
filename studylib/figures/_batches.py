"""What is done to a batch: images, tables and targets, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studylib.datasets.digits import Digits
from studylib.figures import _fits, _sentences
from studylib.figures._draws import drawn, in_part, spoken, targets
from studylib.figures._weights import before_and_after
from studylib.figures.augmented import strip
from studylib.figures.style import INK, picture, sheet
from studylib.figures.words import percent
from studylib.seeds import Noise

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from torch import Tensor

    from studylib.figures.picture import Picture
    from studylib.regularizers.base import Attack, Corruption, Perturbation

IMAGES = 8
ROWS = 40
CLASSES = 10


def perturbation(technique: Perturbation) -> Picture:
    """Draw a batch before and after, of the kind of inputs that the technique is for."""
    if "images" in technique.inputs:
        return _images(technique)
    return _sentences.disturbed(technique) if "text" in technique.inputs else _table(technique)


def _images(technique: Perturbation) -> Picture:
    from torch.nn import functional

    x, y = digits()
    target = functional.one_hot(y, CLASSES).float() if technique.softens else y
    after, goal = drawn(
        technique.name,
        lambda noise: technique.perturb(x, target, noise),
        lambda batch: in_part(batch[1], target) if technique.softens else not batch[0].equal(x),
    )
    changed = (after - x).abs().amax(dim=(1, 2, 3)) > 1e-6
    softened = bool((goal != target).any())
    if softened and not changed.any():
        return targets(technique, target[0], goal[0])
    title = f"{spoken(technique)}: {int(changed.sum())} of {IMAGES} images of this batch are changed"
    if softened:
        title = f"{title}, and so are their targets"
    words = _goals(goal) if technique.softens else [str(int(one)) for one in y]
    note = "Below: the targets after it." if technique.softens else "Below: the targets, which stay."
    return compared_images(title, {"before": x, "after": after}, words, note)


def digits() -> tuple[Tensor, Tensor]:
    """Return the first image of each of eight classes, and their classes."""
    import torch

    train = Digits().split(0).train
    _, first = np.unique(train.y, return_index=True)
    return torch.from_numpy(train.x[first[:IMAGES]]), torch.from_numpy(train.y[first[:IMAGES]])


def _goals(goal: Tensor) -> list[str]:
    """Return the largest class probabilities of each row, in a line each."""
    lines = []
    for row in goal:
        best = row.argsort(descending=True, stable=True)[:2].tolist()
        lines.append("\n".join(f"{k}: {100 * row[k]:.0f} %" for k in best if row[k] >= 0.005))
    return lines


def compared_images(title: str, batches: dict[str, Tensor], words: list[str], note: str) -> Picture:
    """Draw a row of images for each batch, on one scale of grey, with words below each column."""
    lines = 1 + max(word.count("\n") for word in words)
    figure = sheet(0.8 + 0.66 * len(batches) + 0.16 * lines, title, note)
    panels = figure.subplots(len(batches), 1, squeeze=False).flat
    low, high = (float(getattr(batches["before"], end)()) for end in ("min", "max"))
    for axes, (name, images) in zip(panels, batches.items(), strict=True):
        _show(axes, images[:, 0].numpy(), low, high)
        axes.set_ylabel(name, rotation=0, ha="right", va="center", color=INK)
    width = batches["before"].shape[-1]
    places = [(width + 1) * k + (width - 1) / 2 for k in range(len(words))]
    axes.set_xticks(places, words, fontsize=8.5, color=INK)
    told = "; ".join(word.replace("\n", ", ") for word in words)
    return picture(figure, f"{title}. {note} From left to right: {told}.")


def _show(axes: Axes, images: np.ndarray, low: float, high: float) -> None:
    axes.imshow(strip(images), cmap="gray", vmin=low, vmax=high, interpolation="none")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)


def _table(technique: Perturbation) -> Picture:
    import torch

    before = Noise(0, "noise/picture").normal(ROWS, 2, like=torch.zeros(1))
    after, _ = technique.perturb(before, torch.zeros(ROWS), Noise(0, f"noise/{technique.name}"))
    distance = (after - before).norm(dim=1)
    title = f"{int((distance > 0).sum())} of {ROWS} rows are moved, by {distance.mean():.2g} on average"
    figure = sheet(4.0, title, "Hollow: before. Filled: after.")
    axes = figure.subplots()
    before_and_after(axes, before.numpy(), after.numpy())
    axes.set(xlabel="first column (standard deviations)", ylabel="second column")
    return picture(figure, f"{spoken(technique)}. {title}, in standard deviations of a column.")


def attack(technique: Attack) -> Picture:
    """Draw images before and after an attack on a small network, and what it takes them for."""
    import torch

    data, fit = _fits.split(), _fits.plain()
    x, y = torch.from_numpy(data.test.x), torch.from_numpy(data.test.y)
    unit = torch.as_tensor(data.unit, dtype=x.dtype)
    after = technique.perturb(x, Noise(0, f"noise/{technique.name}"), _fits.input_gradient(y), unit)
    said = [torch.from_numpy(fit.predict(batch.numpy())).argmax(dim=1) for batch in (x, after)]
    right = [float((one == y).double().mean()) for one in said]
    shown = ((said[0] == y) & (said[1] != y)).double().argsort(descending=True, stable=True)[:IMAGES]
    words = [
        f"{own} → {taken}" for own, taken in zip(y[shown].tolist(), said[1][shown].tolist(), strict=True)
    ]
    title = (
        f"A network is right on {percent(right[0])} of test digits, after the attack on {percent(right[1])}"
    )
    note = "Below: the class, and what the network takes the lower image for."
    return compared_images(title, {"before": x[shown], "after": after[shown]}, words, note)


def corruption(technique: Corruption) -> Picture:
    """Draw which classes the train rows are given instead of their own."""
    import torch

    y = torch.arange(CLASSES).repeat(200)
    given = technique.corrupt(y, CLASSES, Noise(0, f"noise/{technique.name}"))
    counts = np.zeros((CLASSES, CLASSES))
    np.add.at(counts, (y.numpy(), given.numpy()), 1)
    wrong = float((given != y).double().mean())
    title = f"{percent(wrong)} of the training targets are another class than the true one"
    figure = sheet(3.9, title, "2 000 made-up rows, 200 of each class.")
    axes = figure.subplots()
    shares = 100 * counts / counts.sum(axis=1, keepdims=True)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100, interpolation="none")
    axes.set(xlabel="class that is trained with", ylabel="true class")
    axes.set(xticks=range(CLASSES), yticks=range(CLASSES))
    axes.grid(visible=False)
    figure.colorbar(image, ax=axes, label="% of the true class", shrink=0.8)
    return picture(figure, f"{title}. The diagonal holds {percent(1 - wrong)}.")

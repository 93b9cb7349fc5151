"""What is done to what passes between the layers of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from studylib.figures.style import picture, sheet
from studylib.figures.words import percent
from studylib.seeds import Noise

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.figures.picture import Picture
    from studylib.regularizers.base import Dropping, Rewiring

# what is drawn of a technique that fits several places, the plainest first, with its shape
SHAPES = {
    "units": (10, 24),
    "factors": (10, 24),
    "normalisation": (32, 24),
    "maps": (3, 6, 6, 6),
    "sequence": (2, 8, 24),
    "embedding": (2, 8, 24),
    "state": (10, 24),
    "attention": (1, 2, 10, 10),
    "branch": (10, 24),
}
REACH = 3.0  # of activations with a sign: beyond it, the colour stays the same
ROWS = {
    "units": "examples",
    "factors": "rows",
    "normalisation": "examples",
    "maps": "examples",
    "sequence": "steps of 2 sequences",
    "embedding": "words of 2 sentences",
    "state": "sequences",
    "attention": "words that look",
    "branch": "examples",
}
COLUMNS = {
    "maps": "feature maps of 6×6 pixels",
    "attention": "words looked at, for 2 heads",
    "embedding": "dimensions of the word vectors",
    "factors": "factors",
}


def place_of(technique: Rewiring) -> str:
    """Return the place that the technique is drawn at."""
    return next(place for place in SHAPES if place in technique.places)


def mosaic(h: np.ndarray) -> np.ndarray:
    """Return activations of any shape as one sheet: examples below each other, maps beside each other."""
    if h.ndim == 2:
        return h
    tall = h[:, None] if h.ndim == 3 else h
    n, maps, height, width = tall.shape
    spaced = np.full((n, height + 1, maps, width + 1), np.nan)
    spaced[:, :height, :, :width] = tall.transpose(0, 2, 1, 3)
    joined: np.ndarray = spaced.reshape(n * (height + 1), maps * (width + 1))[:-1, :-1]
    return joined


def dropping(technique: Dropping) -> Picture:
    """Draw activations before and after one draw."""
    from studylib.regularizers.base import Site

    place = place_of(technique)
    before = _positive(place)
    site = Site("hidden1", place, before.shape[1] if place == "maps" else before.shape[-1], depth=0.5)
    after = technique.drop(before, Noise(0, f"noise/{technique.name}"), site)
    title = _dropped(before, after)
    return _sheets(title, before, after, place, "Blues")


def _positive(place: str) -> Tensor:
    import torch

    drawn = 0.6 + 0.8 * Noise(0, "noise/picture").uniform(*SHAPES[place], like=torch.zeros(1))
    return drawn / drawn.sum(dim=-1, keepdim=True) if place == "attention" else drawn


def _dropped(before: Tensor, after: Tensor) -> str:
    gone = after == 0
    ratio = (after / before)[~gone]
    if not gone.any():
        low, high = float(ratio.min()), float(ratio.max())
        return f"No activation becomes 0; each is multiplied by its own number, here {low:.2g} to {high:.2g}"
    unit = _together(gone)
    spread = float(ratio.max() - ratio.min())
    rest = f"the others are multiplied by {ratio.mean():.3g}" if spread < 1e-4 else "the others change too"
    return f"{percent(float(gone.double().mean()), 0)} of the activations become 0{unit}; {rest}"


def _together(gone: Tensor) -> str:
    """Return in words which activations always go together."""
    if gone.ndim == 4:
        whole = bool((gone.flatten(2).all(2) == gone.flatten(2).any(2)).all())
        return ", whole maps at a time" if whole and gone.shape[1] > 2 else ""
    if gone.ndim == 3 and bool((gone.all(1) == gone.any(1)).all()):
        return ", the same at each step of a sequence"
    if bool((gone.all(-1) == gone.any(-1)).all()):
        return ", whole words at a time" if gone.ndim == 3 else ", all those of an example at once"
    return ""


def _sheets(title: str, before: Tensor, after: Tensor, place: str, colours: str) -> Picture:
    sheets = [mosaic(part.detach().numpy()) for part in (before, after)]
    ratio = min(sheets[0].shape[0] / sheets[0].shape[1], 0.6)
    figure = sheet(1.4 + 2 * 3.4 * ratio, title)
    panels = figure.subplots(2, 1, sharex=True)
    signed = any(float(np.nanmin(one)) < 0 for one in sheets)
    high = REACH if signed else max(float(np.nanmax(one)) for one in sheets)
    low = -REACH if signed else 0.0
    for axes, one, name in zip(panels, sheets, ("before", "after"), strict=True):
        image = axes.imshow(one, cmap=colours, vmin=low, vmax=high, interpolation="none", aspect="auto")
        axes.set(xticks=[], yticks=[], title=name, ylabel=ROWS[place])
        axes.grid(visible=False)
    panels[-1].set_xlabel(COLUMNS.get(place, "units"))
    figure.colorbar(image, ax=panels, label="activation", shrink=0.8)
    means = [float(part.mean()) for part in (before, after)]
    return picture(figure, f"{title}. Mean activation {means[0]:.2f} before, {means[1]:.2f} after.")


def rewiring(technique: Rewiring) -> Picture:
    """Draw activations before and after the module that is put between two layers."""
    import torch

    from studylib.regularizers.base import Site

    place, noise = place_of(technique), Noise(0, "noise/picture")
    shape = SHAPES[place]
    channels = 1 if place == "maps" else len(shape) - 1
    normal = noise.normal(*shape, like=torch.zeros(1))
    along = [1] * len(shape)
    along[channels] = shape[channels]
    levels = noise.normal(*along, like=torch.zeros(1))
    before = levels + normal * (0.2 + noise.uniform(*along, like=normal))
    before[0] *= 2.5
    before[shape[0] // 2 :] += 1  # what half of a batch has in common
    module = technique.module(Site("hidden1", place, shape[channels]), noise)
    with torch.no_grad():
        after = module.train()(before)
    return _sheets(_normalised(after, channels), before, after, place, "PuOr")


def _normalised(after: Tensor, channels: int) -> str:
    """Return in words what has mean 0 and deviation 1 now."""
    others = [axis for axis in range(after.ndim) if axis != channels]
    units = after.std(dim=others, correction=0), after.mean(dim=others)
    examples = after.flatten(1).std(dim=1, correction=0), after.flatten(1).mean(dim=1)
    halves = [half.mean(dim=others) for half in after.chunk(2)]
    if max(float(mean.abs().max()) for mean in halves) < 0.02:
        return f"Each unit now has mean 0 and deviation 1 over each {len(after) // 2} rows of the batch"
    for what, (spread, mean) in (
        ("unit now has mean 0 and deviation 1 over the batch", units),
        ("example now has mean 0 and deviation 1 over its units", examples),
    ):
        if mean.abs().max() < 0.02 and (spread - 1).abs().max() < 0.05:
            return f"Each {what}"
    return f"All activations together now have mean {after.mean():.2g} and deviation {after.std():.2g}"

"""What an augmentation does to the images, to be judged by eye."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from studylib.figures.picture import Picture, Table
from studylib.figures.style import INK, picture, saying, sheet, styled
from studylib.figures.words import short

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

GAP = 1  # white pixels between two images


@styled
def draw_augmented(samples: Mapping[str, ArrayLike]) -> Picture:
    """Draw images in a row per augmentation, the same images in each row, in colour or on one scale of grey.

    Args:
        samples: by name, arrays of shape (images, height, width), or of colours from 0 to 1 (images, height,
            width, 3); "none" goes first.
    """
    names = sorted(samples, key=lambda name: name != "none")
    rows = {name: np.asarray(samples[name], dtype=float) for name in names}
    if not rows or not all(len(images) for images in rows.values()):
        return saying("No images to show.")
    figure = sheet(0.75 + 0.6 * len(rows), "The same images, as each augmentation shows them to the model")
    grid = figure.subplots(len(rows), 1, squeeze=False)
    low, high = min(r.min() for r in rows.values()), max(r.max() for r in rows.values())
    for axes, (name, images) in zip(grid.flat, rows.items(), strict=True):
        axes.imshow(strip(images), cmap="gray", vmin=low, vmax=high, interpolation="none")
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(short(name, 18), rotation=0, ha="right", va="center", color=INK)
        axes.spines[:].set_visible(False)
    count = min(len(images) for images in rows.values())
    told = f"{count} images in a row per augmentation: {', '.join(names)}. Same images, same order."
    return picture(figure, told, _table(rows))


def _table(rows: Mapping[str, np.ndarray]) -> Table:
    """Return how bright each image is, and how many of its pixels are not those of the first row."""
    first = next(iter(rows.values()))
    cells = [
        (name, place + 1, float(image.mean()), 100 * float(_changed(image, first[place]).mean()))
        for name, images in rows.items()
        for place, image in enumerate(images[: len(first)])
    ]
    return Table(("augmentation", "image", "mean brightness", "pixels changed (%)"), cells)


def _changed(image: np.ndarray, untouched: np.ndarray) -> np.ndarray:
    """Tell which pixels are others, shape (height, width), whatever they are made of."""
    different: np.ndarray = image != untouched
    return different if image.ndim == 2 else np.any(different, axis=-1)


def strip(images: np.ndarray) -> np.ndarray:
    """Return images side by side with gaps that nothing is drawn in.

    Args:
        images: shape (n, height, width), which gives (height, n · (width + 1) − 1), or of colours (n, height,
            width, 3), which gives (height, n · (width + 1) − 1, 4): the fourth is how opaque a pixel is.
    """
    if images.ndim == 4:
        images = np.concatenate([images, np.ones((*images.shape[:-1], 1))], axis=-1)
    n, height, width, *colours = images.shape
    spaced = np.full((n, height, width + GAP, *colours), 0.0 if colours else np.nan)
    spaced[:, :, :width] = images
    side_by_side: np.ndarray = np.concatenate(list(spaced), axis=1)[:, :-GAP]
    return side_by_side

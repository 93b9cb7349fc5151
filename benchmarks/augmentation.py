"""Images disturbed per second (3×32×32, batches of 256), one thread: shift, flip, rotate, cutout, colours.

The peer does to each image what torchvision's transforms do to one of Pillow: pad and crop, mirror, turn,
contrast, colour, brightness, then a tensor, standardised, with a square erased; then it stacks. Ours
has the images in memory as standardised tensors, as the trainers do. The rounds are interleaved, so that a
machine that slows down slows both down.
"""

from __future__ import annotations

import os
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from PIL import Image
    from torch import Tensor

IMAGES, BATCHES, ROUNDS, SIDE = 256, 4, 11, 32
PIXELS, DEGREES, SIZE, JITTER = 4, 15.0, 8, 0.3
MEAN, STD = 127.5, 64.0


def main() -> None:
    """Print images per second of each, and how many times the peer's ours is."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import numpy as np
    import torch

    torch.set_num_threads(1)
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    contestants = {"studylib": _ours(pixels), "Pillow": _pillow(pixels)}
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for round_ in range(ROUNDS + 1):  # the first round warms up and does not count
        for name, disturb in contestants.items():
            start = perf_counter()
            after = [disturb() for _ in range(BATCHES)][-1]
            seconds = perf_counter() - start
            if after.shape != (IMAGES, 3, SIDE, SIDE):
                raise AssertionError(name)
            if round_:
                speeds[name].append(BATCHES * IMAGES / seconds)
    ratio = median(speeds["studylib"]) / median(speeds["Pillow"])
    for name, values in speeds.items():
        print(f"{name:<9} {median(values):>7.0f} images/s ({min(values):.0f} to {max(values):.0f})")
    print(f"studylib is {ratio:.2f} times Pillow, by medians")


def _ours(pixels: np.ndarray) -> Callable[[], Tensor]:
    import torch

    from studylib.regularizers.colour_jitter import ColourJitter
    from studylib.regularizers.cutout import Cutout
    from studylib.regularizers.flip import Flip
    from studylib.regularizers.rotate import Rotate
    from studylib.regularizers.shift import Shift
    from studylib.seeds import Noise

    x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous() - MEAN) / STD
    y, noise = torch.zeros(IMAGES, dtype=torch.long), Noise(0, "noise")
    techniques = (
        Shift(pixels=PIXELS),
        Flip(axis="horizontal"),
        Rotate(degrees=DEGREES),
        ColourJitter(brightness=JITTER, contrast=JITTER, saturation=JITTER),
        Cutout(size=SIZE),
    )

    def disturb() -> Tensor:
        batch = x
        for technique in techniques:
            batch, _ = technique.perturb(batch, y, noise)
        return batch

    return disturb


def _pillow(pixels: np.ndarray) -> Callable[[], Tensor]:
    import torch
    from PIL import Image

    images = [Image.fromarray(one) for one in pixels]
    return lambda: torch.stack([_one(image) for image in images])


def _one(image: Image.Image) -> Tensor:
    """Return one image as torchvision makes it: Pillow's operations, torch's draws, then the tensor's."""
    import torch
    from PIL import Image, ImageEnhance, ImageOps

    left, top = (int(torch.randint(0, 2 * PIXELS + 1, (1,)).item()) for _ in range(2))
    image = ImageOps.expand(image, PIXELS).crop((left, top, left + SIDE, top + SIDE))
    if torch.rand(1) < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    image = image.rotate(_uniform(-DEGREES, DEGREES), Image.Resampling.BILINEAR)
    changes = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
    for number in torch.randperm(3).tolist():
        image = changes[number](image).enhance(_uniform(1 - JITTER, 1 + JITTER))
    tensor = _tensor(image)
    row, column = (int(torch.randint(0, SIDE, (1,)).item()) for _ in range(2))
    half = SIZE // 2
    tensor[:, max(row - half, 0) : row + half, max(column - half, 0) : column + half] = 0
    return tensor


def _uniform(low: float, high: float) -> float:
    import torch

    return torch.empty(1).uniform_(low, high).item()


def _tensor(image: Image.Image) -> Tensor:
    """Return the image as ToTensor and Normalize make it."""
    import numpy as np
    import torch

    tensor = torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous().float().div(255)
    mean, std = (torch.tensor([value / 255] * 3).reshape(3, 1, 1) for value in (MEAN, STD))
    return tensor.sub_(mean).div_(std)

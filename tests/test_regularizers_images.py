"""Definitions of the perturbations of images, against brute force with numpy."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from studylib.regularizers.cutout import Cutout
from studylib.regularizers.flip import Flip
from studylib.regularizers.rotate import Rotate, turned
from studylib.regularizers.shift import Shift
from studylib.seeds import Noise


def normal(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return normal numbers that are the same in every test."""
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).to(dtype)


def noise(seed: int = 1) -> Noise:
    """Return the noise of one test."""
    return Noise(seed, "noise")


@pytest.mark.parametrize("axis", ["horizontal", "vertical"])
def test_flip_mirrors_a_share_of_the_images(axis: str) -> None:
    """Each image is itself or numpy's mirror image, in the share of the probability."""
    images = normal(2000, 1, 3, 4)
    after, _ = Flip(axis=axis, probability=0.3).perturb(images, images, noise())  # type: ignore[arg-type]
    mirrored = torch.from_numpy(np.flip(images.numpy(), 3 if axis == "horizontal" else 2).copy())
    same = (after == images).flatten(1).all(dim=1)

    assert torch.equal(after[~same], mirrored[~same])
    assert (~same).double().mean() == pytest.approx(0.3, abs=0.05)


def test_shift_is_a_crop_of_the_padded_image() -> None:
    """Every outcome is one of numpy's nine crops of the padded image, and all nine come equally often."""
    image = np.arange(1, 25, dtype=np.float32).reshape(2, 3, 4)
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    crops = [padded[:, top : top + 3, left : left + 4] for top in range(3) for left in range(3)]
    after, _ = Shift(pixels=1).perturb(
        torch.from_numpy(image).repeat(1800, 1, 1, 1), torch.ones(1800), noise()
    )
    counts = [sum(np.array_equal(one, crop) for one in after.numpy()) for crop in crops]

    assert sum(counts) == 1800
    assert all(abs(count - 200) < 5 * 200**0.5 for count in counts)


@pytest.mark.parametrize("size", [2, 3, 20])
def test_cutout_removes_a_square_about_any_pixel(size: int) -> None:
    """Every outcome is numpy's image without the square about one pixel; every pixel is a centre."""
    image, expected = np.ones((2, 4, 5), dtype=np.float32), set()
    for row, column in product(range(4), range(5)):
        cut = image.copy()
        top, left = row - size // 2, column - size // 2
        cut[:, max(top, 0) : top + size, max(left, 0) : left + size] = 0
        expected.add(cut.tobytes())
    after, _ = Cutout(size=size).perturb(torch.ones(1000, 2, 4, 5), torch.ones(1000), noise())

    assert {one.tobytes() for one in after.numpy()} == expected


def test_rotation_turns_counter_clockwise_about_the_centre() -> None:
    """By 90° and 180° it is rot90, also of the middle square of an oblong image; by 0 the image."""
    square, oblong = normal(3, 2, 6, 6), normal(3, 2, 4, 8)
    quarter = torch.full((3,), math.pi / 2)

    torch.testing.assert_close(turned(square, quarter), square.rot90(1, (2, 3)), rtol=0, atol=1e-5)
    torch.testing.assert_close(turned(square, 2 * quarter), square.rot90(2, (2, 3)), rtol=0, atol=1e-5)
    torch.testing.assert_close(turned(oblong, 0 * quarter), oblong, rtol=0, atol=1e-5)
    middle = turned(oblong, quarter)[..., 2:6]
    torch.testing.assert_close(middle, oblong[..., 2:6].rot90(1, (2, 3)), rtol=0, atol=1e-5)
    assert not turned(oblong, quarter)[..., :2].any()


def test_rotation_angles_are_uniform_and_rigid() -> None:
    """Slopes of a turned ramp give the angles back: all within ±degrees, evenly spread, and no stretching."""
    ramp = torch.arange(12.0).repeat(8, 1).expand(2000, 1, 8, 12)
    after, _ = Rotate(degrees=20.0).perturb(ramp.double(), ramp, noise())
    right, down = after[:, 0, 4, 6] - after[:, 0, 4, 5], after[:, 0, 4, 6] - after[:, 0, 3, 6]
    angles = torch.atan2(down, right).rad2deg()

    torch.testing.assert_close(right.square() + down.square(), torch.ones(2000).double())
    assert angles.abs().max() <= 20 + 1e-9
    assert torch.histc(angles, 4, -20, 20).tolist() == pytest.approx([500] * 4, abs=100)

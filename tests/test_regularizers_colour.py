"""Definitions of the perturbations of images that recolour, erase, paste and combine, against peers."""

from __future__ import annotations

import colorsys
from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image, ImageEnhance
from pydantic import ValidationError
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from studylib import datasets
from studylib.regularizers._images import recoloured
from studylib.regularizers.colour_jitter import ColourJitter, turned_hues
from studylib.regularizers.cutmix import Cutmix
from studylib.regularizers.random_augment import RandomAugment
from studylib.regularizers.random_erasing import RandomErasing
from studylib.seeds import Noise, Recorded

if TYPE_CHECKING:
    from collections.abc import Callable

PIXELS = np.random.default_rng(1).integers(90, 166, (6, 7, 8, 3)).astype(np.uint8)  # far from being clipped
MEAN, STD = 120.0, 30.0


def noise(seed: int = 1) -> Noise:
    """Return the noise of one test."""
    return Noise(seed, "noise")


def standardised(pixels: np.ndarray) -> Tensor:
    """Return images (n, height, width, 3) as a model sees them."""
    return torch.from_numpy((pixels.transpose(0, 3, 1, 2) - MEAN) / STD)


def pixels(x: Tensor) -> np.ndarray:
    """Return what ``standardised`` was given."""
    array: np.ndarray = (x * STD + MEAN).numpy().transpose(0, 2, 3, 1)
    return array


@pytest.mark.parametrize("factor", [0.0, 0.6, 1.4])
def test_contrast_and_saturation_are_pillows(factor: float) -> None:
    """On standardised pixels they are what Pillow does to the pixels, but for its rounding."""
    x, one, zero, by = standardised(PIXELS), torch.ones(6), torch.zeros(6), torch.full((6,), factor)
    images = [Image.fromarray(image) for image in PIXELS]
    contrast = np.stack([np.asarray(ImageEnhance.Contrast(image).enhance(factor)) for image in images])
    colour = np.stack([np.asarray(ImageEnhance.Color(image).enhance(factor)) for image in images])

    assert np.abs(pixels(recoloured(x, zero, by, one)) - contrast).max() < 2
    assert np.abs(pixels(recoloured(x, zero, one, by)) - colour).max() < 2


def test_brightness_contrast_and_saturation_come_in_any_order() -> None:
    """One after the other, in all six orders, they are what they are at once."""
    x = standardised(PIXELS)
    strengths = 0.5 + torch.rand(3, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    at_once = recoloured(x, *strengths)
    for order in permutations(range(3)):
        after = x
        for number in order:
            neutral = [torch.zeros(6), torch.ones(6), torch.ones(6)]
            neutral[number] = strengths[number]
            after = recoloured(after, *(each.double() for each in neutral))

        torch.testing.assert_close(after, at_once)


@pytest.mark.parametrize("turn", [-0.4, 0.1, 0.5])
def test_hues_turn_as_in_colorsys(turn: float) -> None:
    """Pixel by pixel it is Python's own hue, saturation and value with the hue moved on."""
    turned = pixels(turned_hues(standardised(PIXELS), torch.full((6,), turn).double())) / 255
    for before, after in zip(PIXELS.reshape(-1, 3) / 255, turned.reshape(-1, 3), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before)
        assert after == pytest.approx(colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value), abs=1e-6)


def test_hues_of_grey_pixels_do_not_matter() -> None:
    """Grey stays grey, and its gradient is a number."""
    grey = torch.linspace(-1, 1, 12).reshape(1, 1, 3, 4).repeat(1, 3, 1, 1).requires_grad_()
    turned = turned_hues(grey, torch.tensor([0.3]))
    turned.sum().backward()

    torch.testing.assert_close(turned, grey)
    assert grey.grad is not None
    assert grey.grad.isfinite().all()


def contrast_of(x: Tensor) -> Tensor:
    """Return how far the pixels of each image are from its mean."""
    return x.flatten(1).std(dim=1)


def redness(x: Tensor) -> Tensor:
    """Return how much more red than blue there is in the first pixel of each image."""
    return x[:, 0, 0, 0] - x[:, 2, 0, 0]


@pytest.mark.parametrize(
    ("jitter", "measured"),
    [
        (ColourJitter(brightness=0.3), lambda x, after: (after - x).mean(dim=(1, 2, 3))),
        (ColourJitter(contrast=0.3), lambda x, after: contrast_of(after) / contrast_of(x) - 1),
        (ColourJitter(saturation=0.3), lambda x, after: redness(after) / redness(x) - 1),
    ],
    ids=["brightness", "contrast", "saturation"],
)
def test_light_changes_evenly_within_its_range(
    jitter: ColourJitter, measured: Callable[[Tensor, Tensor], Tensor]
) -> None:
    """Each image has one draw of its own, uniform over ±0.3."""
    x = standardised(PIXELS)[:1].repeat(4000, 1, 1, 1)
    after, _ = jitter.perturb(x, x, noise())
    drawn = measured(x, after)

    assert drawn.abs().max() <= 0.3 + 1e-9
    assert torch.histc(drawn, 8, -0.3, 0.3).tolist() == pytest.approx([500] * 8, abs=5 * 21)


def test_a_single_channel_has_no_colour() -> None:
    """On one channel saturation and hue have no effect; brightness and contrast do."""
    x = torch.randn(5, 1, 6, 7, generator=torch.Generator().manual_seed(1))
    colourless, _ = ColourJitter(saturation=0.9, hue=0.5).perturb(x, x, noise())
    lit, _ = ColourJitter(brightness=0.5, contrast=0.5).perturb(x, x, noise())

    torch.testing.assert_close(colourless, x)
    assert not torch.isclose(lit, x).all()


def boxes(lost: np.ndarray) -> np.ndarray:
    """Return top, left, height and width of the one box in each mask (n, height, width)."""
    found = []
    for one in lost:
        rows, columns = np.flatnonzero(one.any(axis=1)), np.flatnonzero(one.any(axis=0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert height * width == one.sum()
        found.append((rows[0], columns[0], height, width))
    return np.array(found)


def erased(erasing: RandomErasing, height: int, width: int, images: int) -> np.ndarray:
    """Return where images of nines lost something, (n, height, width)."""
    after, _ = erasing.perturb(torch.full((images, 2, height, width), 9.0), torch.ones(images), noise())
    changed = after.numpy() != 9
    assert (changed[:, 0] == changed[:, 1]).all()
    lost: np.ndarray = changed[:, 0]
    return lost


@pytest.mark.parametrize("shape", [(80, 80), (60, 100)], ids=str)
def test_random_erasing_draws_area_shape_and_place(shape: tuple[int, int]) -> None:
    """Whole boxes inside the image: areas uniform, shapes log-uniform, places uniform."""
    lost = erased(RandomErasing(probability=0.7, smallest=0.1, largest=0.3, aspect=0.5), *shape, 3000)
    some = lost.any(axis=(1, 2))
    top, left, tall, wide = boxes(lost[some]).T
    area, ratio = tall * wide / (shape[0] * shape[1]), np.log(tall / wide)
    down, across = (top + 0.5) / (shape[0] - tall + 1), (left + 0.5) / (shape[1] - wide + 1)

    assert some.mean() == pytest.approx(0.7, abs=5 * 0.0084)
    assert 0.09 < area.min() < 0.11
    assert 0.29 < area.max() < 0.31
    assert np.abs(ratio).max() < np.log(2) + 0.06
    for uniform, low, high in [
        (area, 0.1, 0.3),
        (ratio, -np.log(2), np.log(2)),
        (down, 0, 1),
        (across, 0, 1),
    ]:
        assert uniform.mean() == pytest.approx((low + high) / 2, abs=(high - low) * 0.03)
        assert uniform.std() == pytest.approx((high - low) / 12**0.5, rel=0.05)


def test_a_box_that_hardly_fits_is_cut_to_no_other_area() -> None:
    """Where a shape would leave the image it is not drawn, and large areas keep their size."""
    tall, wide = boxes(erased(RandomErasing(probability=1.0, smallest=0.8, largest=0.8), 50, 50, 500)).T[2:]

    assert np.abs(tall * wide / 2500 - 0.8).max() < 0.02
    assert max(tall.max(), wide.max()) == 50
    assert min(tall.min(), wide.min()) == 40


def test_random_erasing_on_a_small_image_takes_a_pixel_at_least_and_any_pixel() -> None:
    """On 8×8 pixels every pixel is lost about as often as its mirror images."""
    lost = erased(RandomErasing(probability=1.0), 8, 8, 4000)
    often = lost.mean(axis=0)

    assert lost.any(axis=(1, 2)).all()
    assert np.abs(often - often[::-1]).max() < 0.06
    assert np.abs(often - often.T).max() < 0.06
    assert often.min() > 0.02


def test_random_erasing_fills_with_noise_or_the_mean() -> None:
    """The noise is normal, pixel by pixel; the mean is 0."""
    x = torch.full((400, 3, 10, 10), 9.0)
    filled, _ = RandomErasing(probability=1.0).perturb(x, x, noise())
    empty, _ = RandomErasing(probability=1.0, fill="mean").perturb(x, x, noise())
    new = filled[filled != 9]

    assert new.mean() == pytest.approx(0, abs=5 / len(new) ** 0.5)
    assert new.std() == pytest.approx(1, abs=0.03)
    assert torch.equal(empty == 0, filled != 9)


def test_random_erasing_refuses_a_range_that_is_none() -> None:
    """The smallest area may not be above the largest, and the message says both."""
    with pytest.raises(ValidationError, match=r"smallest to be at most largest \(here 0\.5 and 0\.4\)"):
        RandomErasing(smallest=0.5)


@pytest.mark.parametrize("seed", range(12))
def test_cutmix_pastes_one_box_and_mixes_targets_by_its_area(seed: int) -> None:
    """It is what loops over pixels make of the same draws, clipped at the border."""
    height, width, rows = 7, 10, 4
    x = torch.randn(rows, 2, height, width, generator=torch.Generator().manual_seed(seed)).double()
    target = functional.one_hot(torch.tensor([0, 1, 2, 1])).double()
    record = Recorded(noise(seed))
    after, soft = Cutmix(alpha=1.0).perturb(x, target, record)
    partner = record.drawn[2].tolist()
    share, centre_row, centre_column = (float(record.drawn[number]) for number in (1, 3, 4))
    tall, wide = int(height * (1 - share) ** 0.5), int(width * (1 - share) ** 0.5)
    expected, pasted = x.numpy().copy(), 0
    for row, column in product(range(height), range(width)):
        down, across = row - centre_row + tall // 2, column - centre_column + wide // 2
        if 0 <= down < tall and 0 <= across < wide:
            expected[:, :, row, column] = x.numpy()[partner][:, :, row, column]
            pasted += 1
    area = pasted / (height * width)

    assert np.array_equal(after.numpy(), expected)
    torch.testing.assert_close(soft, (1 - area) * target + area * target[partner])


def test_cutmix_mixes_a_share_of_the_batches_in_all_proportions() -> None:
    """With probability ½ about half of the batches are mixed, by areas from none to nearly all."""
    x, target, stream = torch.rand(2, 1, 16, 16), torch.eye(2), noise()
    mixed = torch.stack([Cutmix(probability=0.5).perturb(x, target, stream)[1][0, 0] for _ in range(1000)])
    touched = mixed < 1

    # half of the batches have themselves as partners
    assert touched.double().mean() == pytest.approx(0.25, abs=0.08)
    assert mixed.min() < 0.2
    assert mixed[touched].max() > 0.9


IMAGE = np.random.default_rng(2).normal(size=(9, 8))
MAGNITUDE = 0.8


def resampled(matrix: list[list[float]], move: tuple[float, float] = (0, 0)) -> np.ndarray:
    """Return the image at ``matrix``·p + ``move``, by SciPy; both go down first, then across."""
    centre = np.array([4.0, 3.5])
    offset = centre + np.array(move) - np.array(matrix) @ centre
    image: np.ndarray = ndimage.affine_transform(IMAGE, matrix, offset, order=1, mode="grid-constant")
    return image


def outcomes(sign: int) -> list[list[np.ndarray]]:
    """Return what each of the nine operations may make of the image, with that sign of the magnitude."""
    amount = sign * MAGNITUDE
    cos, sin = np.cos(0.5 * amount), np.sin(0.5 * amount)
    squares = []
    for row, column in product(range(9), range(8)):
        cut = IMAGE.copy()  # 0.8 of a quarter of 8 pixels is 2 of them
        cut[max(row - 1, 0) : row + 1, max(column - 1, 0) : column + 1] = 0
        squares.append(cut)
    return [
        [IMAGE],
        [resampled([[1, 0], [0, 1]], (0, 0.25 * 8 * amount))],
        [resampled([[1, 0], [0, 1]], (0.25 * 9 * amount, 0))],
        [resampled([[cos, sin], [-sin, cos]])],
        [resampled([[1, 0], [0.3 * amount, 1]])],
        [resampled([[1, 0.3 * amount], [0, 1]])],
        [IMAGE + 0.8 * amount],
        [IMAGE.mean() + (1 + 0.8 * amount) * (IMAGE - IMAGE.mean())],
        squares,
    ]


def test_random_augment_is_one_of_nine_operations() -> None:
    """Every outcome is one that NumPy and SciPy make, and operations and signs come equally often."""
    x = torch.from_numpy(IMAGE).expand(3600, 1, 9, 8)
    after, _ = RandomAugment(operations=1, magnitude=MAGNITUDE).perturb(x, x, noise())
    found = torch.zeros(2, 9)
    for sign, operation in product((0, 1), range(9)):
        candidates = torch.from_numpy(np.stack(outcomes(2 * sign - 1)[operation])).flatten(1)
        near = torch.cdist(after.flatten(1), candidates, p=1).amin(dim=1) < 1e-9
        found[sign, operation] = near.sum()
    signed = found[:, 1:8]

    assert found[0, 0] + signed.sum() + found[0, 8] == 3600
    assert signed.flatten().tolist() == pytest.approx([200] * 14, abs=5 * 14)
    assert found[0, [0, 8]].tolist() == pytest.approx([400] * 2, abs=5 * 19)


def test_operations_of_random_augment_follow_each_other() -> None:
    """Two operations are one after the other, with the noise going on."""
    x = torch.randn(20, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    stream = noise()
    one = RandomAugment(operations=1)
    twice, _ = one.perturb(one.perturb(x, x, stream)[0], x, stream)

    assert torch.equal(RandomAugment(operations=2).perturb(x, x, noise())[0], twice)


def test_digits_are_still_digits_after_the_most_of_random_augment() -> None:
    """Among train digits that went through all of it, the nearest to one that did is mostly of its class."""
    split = datasets.CATALOGUE.make("digits", {"train": 1200, "validation": 400}).split(0)
    known, seen = (torch.from_numpy(part.x) for part in (split.train, split.validation))
    y, truth = (torch.from_numpy(part.y) for part in (split.train, split.validation))
    augment, stream = RandomAugment(operations=2, magnitude=1.0), noise()
    copies = torch.cat([augment.perturb(known, y, stream)[0] for _ in range(6)])
    after, _ = augment.perturb(seen, truth, stream)
    nearest = torch.cdist(after.flatten(1), copies.flatten(1)).argmin(dim=1) % len(y)

    assert (y[nearest] == truth).double().mean() > 0.8

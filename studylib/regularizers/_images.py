"""Geometry and colour of whole batches of images (n, channels, height, width), each image in its own way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

# what red, green and blue count in grey: ITU-R BT.601, as in Pillow and torchvision
GREY = (0.299, 0.587, 0.114)


def warped(x: Tensor, matrix: Tensor, mode: Literal["bilinear", "nearest"] = "bilinear") -> Tensor:
    """Return images whose pixel at p shows what was at ``matrix``·(p, 1).

    Args:
        x: the images; 0 is what lies outside.
        matrix: (n, 2, 3); p and the result are (to the right, down) in pixels from the centre of the image.
        mode: how to read off between pixels.
    """
    import torch
    from torch.nn import functional

    height, width = x.shape[2:]
    # the sampler's axes run from −1 to 1
    to_sides = torch.stack([matrix[:, 0] * (2 / width), matrix[:, 1] * (2 / height)], dim=1)
    grid = (to_sides @ _places(x)).reshape(-1, 2, height, width).permute(0, 2, 3, 1)
    return functional.grid_sample(x, grid, mode=mode, padding_mode="zeros", align_corners=False)


def _places(x: Tensor) -> Tensor:
    """Return (to the right, down, 1) for each pixel, in pixels from the centre, (3, height·width)."""
    import torch

    right, down = (
        torch.arange(length, dtype=x.dtype, device=x.device) - (length - 1) / 2
        for length in (x.shape[3], x.shape[2])
    )
    right, down = torch.meshgrid(right, down, indexing="xy")
    return torch.stack([right, down, torch.ones_like(right)]).flatten(1)


def box(top: Tensor, left: Tensor, height: Tensor | int, width: Tensor | int, like: Tensor) -> Tensor:
    """Return 1 for pixels in a box, else 0, (k, 1, height, width); what lies outside the image is lost.

    Args:
        top: row of its first pixels, (k, 1).
        left: column of its first pixels, (k, 1).
        height: rows of the box, (k, 1) or for all.
        width: columns of the box, (k, 1) or for all.
        like: the images.
    """
    rows = _between(top, height, like.shape[2]).to(like.dtype)
    columns = _between(left, width, like.shape[3]).to(like.dtype)
    return rows[:, None, :, None] * columns[:, None, None, :]


def _between(start: Tensor, size: Tensor | int, length: int) -> Tensor:
    import torch

    places = torch.arange(length, device=start.device)
    return (places >= start) & (places < start + size)


def recoloured(x: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Return ``contrast`` times the deviations from the image's mean grey, plus ``brightness``.

    Colours move away from the grey of their pixel ``saturation`` times as far. The order does not matter:
    neither of the three changes what the others hold fixed.

    Args:
        x: the images; where there are not three channels, grey is their mean.
        brightness: (n,), in the unit of the images; 0 changes nothing.
        contrast: (n,); 1 changes nothing, 0 leaves the mean grey.
        saturation: (n,); 1 changes nothing, 0 leaves grey.
    """
    import torch

    channels = x.shape[1]
    shares = GREY if channels == 3 else [1 / channels] * channels
    # made where the images are: nothing waits for a GPU then
    grey = torch.stack([torch.full((), share, dtype=x.dtype, device=x.device) for share in shares])
    mean = (x.mean(dim=(2, 3)) * grey).sum(dim=1)
    offset = (1 - contrast) * mean + brightness
    own = torch.eye(channels, dtype=x.dtype, device=x.device)
    # each new channel is a mixture of the old ones: one pass for all three
    kept, greyed = contrast * saturation, contrast * (1 - saturation)
    mixture = kept[:, None, None] * own + greyed[:, None, None] * grey
    return torch.baddbmm(offset[:, None, None], mixture, x.flatten(2)).reshape(x.shape)

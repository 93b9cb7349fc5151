"""Layers of images for several replicas: maps are (replicas, n, channels, height, width).

The channels of a pixel lie side by side in memory. A convolution is a product of matrices: a row for each
pixel holds what the kernel sees there. Products give each replica what it has alone, and add in one order on
a GPU, too, where convolutions in groups are slow backwards.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studylib.trainers.precision import rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Layer: TypeAlias = Callable[[Tensor], Tensor]

# of the axes of a convolution's weight (outputs, channels, height, width) in memory: as its gradient is made
ORDER = (0, 2, 3, 1)
# numbers that kernels see in a batch of a replica: more leave a core's cache, and torch's own is faster then
SMALL = 150_000
LARGE = 20_000  # pixels of a batch of a replica, from which on its maps leave the cache


@final
class ImageNetworks(nn.Sequential):
    """Layers of several networks for images.

    Where maps are large, each batch passes by itself through what makes maps, on a processor: so all that is
    made of it stays near. Only what is left of it then passes together with the others.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (replicas, n, outputs) for ``x`` (replicas, n, channels, height, width)."""
        if x.is_cuda or x[0, :, 0].numel() <= LARGE:
            return _through(self, x)
        layers = [*self]
        end = next(place for place, layer in enumerate(layers) if isinstance(layer, nn.Flatten))
        passes = zip(x, *(each(layer, len(x)) for layer in layers[:end]), strict=True)
        return _through(layers[end:], torch.stack([_through(own, batch) for batch, *own in passes]))


def each(layer: nn.Module, replicas: int) -> list[Layer]:
    """Return what a joined layer is to each replica; a layer that says nothing of it is the same to all."""
    if isinstance(layer, nn.Sequential):
        inner = [each(part, replicas) for part in layer]
        return [partial(_through, own) for own in zip(*inner, strict=True)] or [nn.Identity()] * replicas
    own: Any = getattr(layer, "each", None)
    return [*own()] if own else [layer] * replicas


def _through(layers: Iterable[Layer], h: Tensor) -> Tensor:
    for layer in layers:
        h = layer(h)
    return h


@final
class Convolutions(nn.Module):
    """yᵣ = xᵣ ∗ wᵣ + bᵣ, with maps as large as before: zeros are what lies outside.

    Args:
        weight: (replicas, outputs, channels, side, side), the side odd.
        bias: (replicas, outputs).
    """

    def __init__(self, weight: nn.Parameter, bias: nn.Parameter) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, x: Tensor) -> Tensor:
        """Return (replicas, n, outputs, height, width) for ``x`` (replicas, n, channels, height, width)."""
        if not x.is_cuda and x[0].numel() * self.weight.shape[-1] ** 2 > SMALL:
            maps = [one(own).permute(0, 2, 3, 1) for one, own in zip(self.each(), x, strict=True)]
            return torch.stack(maps).permute(0, 1, 4, 2, 3)
        replicas, rows, _, height, width = x.shape
        flat: Tensor = _Convolution.apply(*rounded(x, self.weight, self.bias))  # type: ignore[no-untyped-call]  # torch's
        return flat.view(replicas, rows, height, width, -1).permute(0, 1, 4, 2, 3)

    def each(self) -> list[Layer]:
        """Return the convolution of each replica, as torch does it."""
        edge = self.weight.shape[-1] // 2
        own = zip(self.weight, self.bias, strict=True)
        return [partial(F.conv2d, weight=weight, bias=bias, padding=edge) for weight, bias in own]


def plain(layer: nn.Conv2d) -> bool:
    """Tell whether ``Convolutions`` do what ``layer`` does."""
    height, width = layer.kernel_size
    same = height == width and height % 2 == 1 and layer.padding == (height // 2, height // 2)
    single = (layer.stride, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
    return same and single and layer.padding_mode == "zeros" and layer.bias is not None


class _Convolution(torch.autograd.Function):
    """A convolution as (replicas, n·height·width, outputs); what the kernel sees is kept for its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        side, matrices = weight.shape[-1], _matrices(weight)
        said = x.new_empty(len(x), x[0, :, 0].numel(), weight.shape[1])
        every = []
        for some in _near(x):
            every.append(patches(x[some], side))
            torch.baddbmm(bias[some].unsqueeze(1), every[-1], matrices[some], out=said[some])
        ctx.save_for_backward(weight, *every)
        ctx.maps = x.shape
        return said

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        [g], (weight, *every) = gradients, ctx.saved_tensors
        replicas, outputs, channels, side, _ = weight.shape
        of_weight = g.new_empty(replicas, outputs, side * side * channels)
        for some, seen in zip(_near(g), every, strict=True):
            torch.bmm(g[some].transpose(1, 2), seen, out=of_weight[some])
        of_x = _of_maps(g, weight, ctx.maps) if ctx.needs_input_grad[0] else None
        return of_x, of_weight.view(replicas, outputs, side, side, channels).permute(0, 1, 4, 2, 3), g.sum(1)


def _of_maps(g: Tensor, weight: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the gradient of maps of that ``shape``: the convolution of ``g`` with the mirrored kernels."""
    replicas, rows, channels, height, width = shape
    maps = g.view(replicas, rows, height, width, -1).permute(0, 1, 4, 2, 3)
    mirrored = _matrices(weight.flip(3, 4).transpose(1, 2))
    flat = g.new_empty(replicas, rows * height * width, channels)
    for some in _near(g):
        torch.bmm(patches(maps[some], weight.shape[-1]), mirrored[some], out=flat[some])
    return flat.view(replicas, rows, height, width, channels).permute(0, 1, 4, 2, 3)


def _near(x: Tensor) -> list[slice]:
    """Return which replicas are computed at a time: all on a GPU, else two, which stay in a core's cache.

    Or three, but never one: a product of one matrix has other last bits.
    """
    count = 1 if x.is_cuda else max(1, len(x) // 2)
    cuts = [len(x) * part // count for part in range(count + 1)]
    return [slice(*pair) for pair in pairwise(cuts)]


def _matrices(weight: Tensor) -> Tensor:
    """Return weights (replicas, outputs, channels, side, side) as (replicas, side·side·channels, outputs)."""
    return weight.permute(0, 1, 3, 4, 2).flatten(2).transpose(1, 2)


def patches(x: Tensor, side: int) -> Tensor:
    """Return what a kernel sees at each pixel, (replicas, n·height·width, side·side·channels).

    Args:
        x: maps (replicas, n, channels, height, width).
        side: of the kernel, odd.
    """
    # memory is copied in runs: of the channels in a row of the kernel, or of the pixels in a row of a map
    return _by_kernels(x, side) if side * x.shape[2] >= x.shape[4] else _by_maps(x, side)


def _by_kernels(x: Tensor, side: int) -> Tensor:
    replicas, rows, channels, height, width = x.shape
    edge = side // 2
    padded = x.new_zeros(replicas, rows, height + 2 * edge, width + 2 * edge, channels)
    padded[:, :, edge : edge + height, edge : edge + width] = x.permute(0, 1, 3, 4, 2)
    by_replica, by_row, by_line, by_pixel, _ = padded.stride()
    shape = (replicas, rows, height, width, side, side * channels)
    seen = padded.as_strided(shape, (by_replica, by_row, by_line, by_pixel, by_line, 1))
    return seen.reshape(replicas, rows * height * width, side * side * channels)


def _by_maps(x: Tensor, side: int) -> Tensor:
    replicas, rows, channels, height, width = x.shape
    edge = side // 2
    padded = F.pad(x.contiguous(), (edge,) * 4)
    by_replica, by_row, by_channel, by_line, _ = padded.stride()
    shape = (replicas, side, side, channels, rows, height, width)
    seen = padded.as_strided(shape, (by_replica, by_line, 1, by_channel, by_row, by_line, 1))
    return seen.reshape(replicas, side * side * channels, rows * height * width).transpose(1, 2)


@final
class MaxPoolings(nn.Module):
    """The pooling of one replica, of the maps of all."""

    def __init__(self, parts: Sequence[nn.MaxPool2d]) -> None:
        super().__init__()
        self.one, self.replicas = parts[0], len(parts)

    def forward(self, h: Tensor) -> Tensor:
        """Return the smaller maps, (replicas, n, channels, height, width)."""
        pooled: Tensor = self.one(h.flatten(0, 1))
        return pooled.view(*h.shape[:2], *pooled.shape[1:])

    def each(self) -> list[Layer]:
        """Return the pooling, which is the same for each replica."""
        return [self.one] * self.replicas

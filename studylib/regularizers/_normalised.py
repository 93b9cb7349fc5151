"""Layers whose weight is divided by a norm of its own."""

from __future__ import annotations

from abc import abstractmethod
from math import cos, pi, prod
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from studylib.regularizers._layers import groups_of, response
from studylib.regularizers._modules import Made

if TYPE_CHECKING:
    from studylib.seeds import Draws

WARM_UP = 15  # power iterations before training, as many as torch's
PER_TAP = 16  # frequencies per tap of a kernel beyond the first: the bound is then within 1 % an axis


class Divided(Made):
    """A layer with a weight that is divided by a norm of its own; it keeps the bias."""

    bias: nn.Parameter | None

    def __init__(self, layer: nn.Module, technique: str) -> None:
        super().__init__()
        self.respond = response(layer, technique)
        self.groups = groups_of(layer)
        self.original: nn.Parameter = layer.weight  # type: ignore[assignment]  # response() knows the layer
        self.register_parameter("bias", layer.bias)  # type: ignore[arg-type]  # as above

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, …) for inputs (n, …)."""
        return self.respond(x, self.weight, self.bias)

    @property
    @abstractmethod
    def weight(self) -> Tensor:
        """The weight as it acts."""

    def scales(self) -> list[nn.Parameter]:
        """Return what the size of the weight is proportional to: nothing, where it is always the same."""
        return []


def _over(w: Tensor, norm: Tensor) -> Tensor:
    # a weight of zeros has no direction, and stays
    return w / torch.where(norm == 0, 1, norm)


@final
class WeightNormalised(Divided):
    """w = g·v/‖v‖ for each output; v begins as the layer's weight, g as its norm."""

    def __init__(self, layer: nn.Module, technique: str) -> None:
        super().__init__(layer, technique)
        self.scale = nn.Parameter(self._norms().detach())

    @property
    def weight(self) -> Tensor:
        """The weight as it acts."""
        return self.original * _over(self.scale, self._norms())

    def scales(self) -> list[nn.Parameter]:
        """Return g."""
        return [self.scale]

    def _norms(self) -> Tensor:
        axes = tuple(range(1, self.original.ndim))
        norms: Tensor = torch.linalg.vector_norm(self.original, dim=axes, keepdim=True)
        return norms


def _direction(v: Tensor, before: Tensor) -> Tensor:
    """Return ``v`` at length 1, however small; zeros have no direction, and leave that of ``before``."""
    peak = torch.linalg.vector_norm(v, torch.inf)
    v = v / peak  # so that no square overflows or vanishes
    return torch.where(peak == 0, before, v / torch.linalg.vector_norm(v))


@final
class PowerNormalised(Divided):
    """W/σ with the largest singular value σ of W as a matrix, (outputs, all else), by power iteration.

    Each forward pass of training goes one iteration on; reading the weight and evaluation do not.
    """

    left: Tensor
    right: Tensor

    def __init__(self, layer: nn.Module, technique: str, noise: Draws) -> None:
        super().__init__(layer, technique)
        matrix = self.original.detach().flatten(1)
        self.register_buffer("left", matrix.new_zeros(len(matrix)))
        start = noise.normal(matrix.shape[1], like=matrix)
        self.register_buffer("right", functional.normalize(start, dim=0))
        for _ in range(WARM_UP):
            self.iterate()

    @torch.no_grad()
    def iterate(self) -> None:
        """Come nearer to the singular vectors of the largest singular value."""
        matrix = self.original.flatten(1)
        self.left.copy_(_direction(matrix @ self.right, self.left))
        self.right.copy_(_direction(matrix.T @ self.left, self.right))

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs (n, …) for inputs (n, …)."""
        if self.training:
            self.iterate()
        return super().forward(x)

    @property
    def weight(self) -> Tensor:
        """The weight as it acts."""
        # copies: the next iteration would change what the gradient of this one needs
        left, right = self.left.clone(), self.right.clone()
        return _over(self.original, left @ (self.original.flatten(1) @ right))


@final
class ExactNormalised(Divided):
    """W/σ with the operator norm σ of a linear layer, or the bound of a convolution's by ``norm_bound``."""

    @property
    def weight(self) -> Tensor:
        """The weight as it acts."""
        return _over(self.original, norm_bound(self.original, self.groups))


def norm_bound(kernel: Tensor, groups: int = 1) -> Tensor:
    """Return a bound of the operator norm of a convolution with ``kernel``, for inputs of any size.

    It is at most 1 % per axis above the largest gain of any frequency, which is the norm for circular padding
    and large inputs; with zero padding, stride or dilation the norm is below it. For a matrix it is the norm.
    """
    taps = kernel.shape[2:]
    points = [max(1, PER_TAP * (size - 1)) for size in taps]
    # The squared gain of a pair of directions is a trigonometric polynomial of degree size − 1, which falls
    # from its maximum no faster than a cosine (M. Riesz): the nearest of the points has this share or more.
    shares = [cos(pi / PER_TAP) for size in taps if size > 1]
    return largest_gain(kernel, points, groups) / prod(shares) ** 0.5


def largest_gain(kernel: Tensor, sizes: list[int], groups: int = 1) -> Tensor:
    """Return the largest singular value of a convolution with circular padding of inputs of ``sizes``.

    Sedghi, Gupta and Long (2019), https://arxiv.org/abs/1805.10408: it is that of the matrices, outputs by
    inputs, which the Fourier transform of the kernel gives for each frequency.
    """
    # What has diverged becomes no number: a decomposition of it would be an error of its own. The sum is a
    # bound of what the transform gives.
    finite = kernel.abs().sum().isfinite()
    blocks = torch.where(finite, kernel, 0).reshape(groups, -1, *kernel.shape[1:])
    if sizes:
        # half of the frequencies: the others are their conjugates, with the same singular values
        blocks = torch.fft.rfftn(blocks, s=sizes, dim=list(range(3, blocks.ndim)))
    matrices = blocks.flatten(3).permute(0, 3, 1, 2).flatten(0, 1) if sizes else blocks
    return torch.where(finite, torch.linalg.matrix_norm(_largest(matrices), 2), torch.nan)


def _largest(matrices: Tensor) -> Tensor:
    """Return that of ``matrices`` (n, outputs, inputs) whose largest singular value is the largest of all."""
    if len(matrices) == 1:
        return matrices[0]
    # by the squares, whose eigenvalues cost a fraction of a singular value decomposition
    some = matrices.detach()
    peak = some.abs().amax()
    some = some / torch.where(peak == 0, 1, peak)  # so that no square overflows or vanishes
    squares = some @ some.mH if some.shape[1] < some.shape[2] else some.mH @ some
    best = torch.linalg.eigvalsh(squares)[:, -1].argmax()
    return matrices.index_select(0, best.reshape(1))[0]

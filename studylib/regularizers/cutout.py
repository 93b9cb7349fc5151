"""Cutout. Source: DeVries and Taylor (2017), https://arxiv.org/abs/1708.04552"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Cutout(Perturbation):
    """One square of size × size pixels per image is set to 0, its centre anywhere in the image.

    The square may cross the border, so often fewer pixels are lost; keeping it inside is another method,
    random erasing. 0 is the mean colour where inputs are standardised.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    size: Annotated[int, Field(ge=0, description="side of the square in pixels; 0 switches it off")]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images with a square missing in all channels, and ``target`` as it is."""
        rows, columns = (self._inside(length, x, noise) for length in x.shape[2:])
        return x.masked_fill(rows[:, None, :, None] & columns[:, None, None, :], 0), target

    def _inside(self, length: int, x: Tensor, noise: Draws) -> Tensor:
        """Tell which of the ``length`` places along an axis the square covers, shape (n, length)."""
        import torch

        start = noise.integers(0, length, len(x), 1, like=x) - self.size // 2
        places = torch.arange(length, device=x.device)
        return (places >= start) & (places < start + self.size)


EXAMPLE = Cutout(size=8)

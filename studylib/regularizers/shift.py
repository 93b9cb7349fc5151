"""Random crop of the zero-padded image. Source: He et al. (2016), https://doi.org/10.1109/CVPR.2016.90"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Shift(Perturbation):
    """Each image moves by (a, b), both uniform over the integers −pixels … pixels; what comes in is 0."""

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    pixels: Annotated[int, Field(ge=0, description="longest move along an axis; 0 switches it off")]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images moved, and ``target`` as it is."""
        import torch
        from torch.nn import functional

        height, width = x.shape[2:]
        padded = functional.pad(x, [self.pixels] * 4)
        # a view of all (2·pixels + 1)² crops: (n, channels, top, left, height, width)
        crops = padded.unfold(2, height, 1).unfold(3, width, 1)
        top, left = noise.integers(0, 2 * self.pixels + 1, 2, len(x), like=x)
        return crops[torch.arange(len(x), device=x.device), :, top, left], target


EXAMPLE = Shift(pixels=2)

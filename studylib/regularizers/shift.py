"""Random crop of the zero-padded image. Source: He et al. (2016), https://doi.org/10.1109/CVPR.2016.90"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers._images import warped
from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Shift(Perturbation):
    r"""Each image moves by (a, b), both uniform over the integers −pixels … pixels; what comes in is 0.

    That is a random crop, of the image's own size, of the image with a border of zeros.

    Formula: x'_{ij} = x_{i+a,\,j+b}, \quad a, b \sim U\{-p, \ldots, p\}, \quad 0 \text{ outside}

    Use: Images whose content is not centred to the pixel; 4 is usual for 32 pixels, 1 or 2 for 8.

    Traps: 0 is the mean colour where inputs are standardised, and not the background: on dark images a grey
    edge comes in. What leaves the image is lost.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    pixels: Annotated[int, Field(ge=0, description="longest move along an axis; 0 switches it off")]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images moved, and ``target`` as it is."""
        import torch
        from torch.nn import functional

        moves = noise.integers(-self.pixels, self.pixels + 1, len(x), 2, 1, like=x).to(x.dtype)
        still = torch.eye(2, 3, dtype=x.dtype, device=x.device)
        return warped(x, still + functional.pad(moves, (2, 0)), "nearest"), target


EXAMPLE = Shift(pixels=2)

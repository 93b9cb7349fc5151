"""Random rotation. Source: Simard, Steinkraus and Platt (2003), https://doi.org/10.1109/ICDAR.2003.1227801"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Rotate(Perturbation):
    """Each image turns about its centre by an angle ~ U(−degrees, degrees).

    Pixels are interpolated bilinearly, which blurs a little; what comes in from outside is 0.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    degrees: Annotated[float, Field(ge=0, le=180, description="largest angle; 0 switches it off")]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images turned, and ``target`` as it is."""
        if self.degrees == 0:  # interpolation would change the last bits
            return x, target
        angles = (2 * noise.uniform(len(x), like=x) - 1) * (self.degrees * pi / 180)
        return turned(x, angles), target


def turned(x: Tensor, angles: Tensor) -> Tensor:
    """Return images (n, channels, height, width) turned counter-clockwise by ``angles`` (n,), in radians."""
    import torch
    from torch.nn import functional

    height, width = x.shape[2:]
    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    # both axes run from −1 to 1, so that an oblong image needs its sides in the matrix
    across = torch.stack([cos, -sin * height / width, zero], dim=1)
    down = torch.stack([sin * width / height, cos, zero], dim=1)
    grid = functional.affine_grid(torch.stack([across, down], dim=1), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


EXAMPLE = Rotate(degrees=10.0)

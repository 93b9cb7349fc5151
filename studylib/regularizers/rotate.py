"""Random rotation. Source: Simard, Steinkraus and Platt (2003), https://doi.org/10.1109/ICDAR.2003.1227801"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers._images import warped
from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Rotate(Perturbation):
    r"""Each image turns about its centre by an angle ~ U(−degrees, degrees).

    Pixels are interpolated bilinearly; what comes in from outside is 0, the mean colour where inputs are
    standardised.

    Formula: x'(p) = x(R_\theta\,p), \quad R_\theta = \begin{pmatrix} \cos\theta & -\sin\theta \\ \sin\theta &
    \cos\theta \end{pmatrix}, \quad \theta \sim U(-\theta_{\max}, \theta_{\max})

    Use: Images that were not held straight: scans, handwriting (10 to 15 degrees), views from above (180).

    Traps: A 6 turned far is a 9. Interpolation blurs, small images most, and untouched test images are
    sharper than what the model was trained on.
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

    cos, sin, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    right = torch.stack([cos, -sin, zero], dim=1)
    below = torch.stack([sin, cos, zero], dim=1)
    return warped(x, torch.stack([right, below], dim=1))


EXAMPLE = Rotate(degrees=10.0)

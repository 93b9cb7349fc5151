"""Cutout. Source: DeVries and Taylor (2017), https://arxiv.org/abs/1708.04552"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers._images import box
from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Cutout(Perturbation):
    r"""One square of size × size pixels per image is set to 0, its centre anywhere in the image.

    The square may cross the border, so often fewer pixels are lost; keeping it inside is another method,
    random erasing. 0 is the mean colour where inputs are standardised.

    Formula: x' = (1 - B) \odot x, \quad B = \{(i, j) : i - c_i, \, j - c_j \in [-\lfloor s/2 \rfloor,
    \lceil s/2 \rceil)\}

    Use: Images in which a class has several parts, of which each should be enough; the paper takes half the
    side for 10 classes of photographs, a quarter for 100.

    Traps: On small images of thin strokes the square may hide what tells two classes apart. Implementations
    that keep the square inside the image remove more, most of all at the corners.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    size: Annotated[int, Field(ge=0, description="side of the square in pixels; 0 switches it off")]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images with a square missing in all channels, and ``target`` as it is."""
        return without_square(x, self.size, noise), target


def without_square(x: Tensor, size: Tensor | int, noise: Draws) -> Tensor:
    """Return images with a square of ``size`` (for all, or (n, 1)) pixels set to 0, its centre anywhere."""
    top, left = (noise.integers(0, length, len(x), 1, like=x) - size // 2 for length in x.shape[2:])
    return x * (1 - box(top, left, size, size, like=x))  # one pass; masked_fill takes three times as long


EXAMPLE = Cutout(size=3)

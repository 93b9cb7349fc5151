"""Random erasing. Source: Zhong et al. (2020), https://arxiv.org/abs/1708.04896"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from studylib.regularizers._images import box
from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class RandomErasing(Perturbation):
    r"""One box inside an image, of random area and shape, is overwritten, with the given probability.

    The area is a share s ~ U(smallest, largest) of the image; height/width is log-uniform over what of
    [aspect, 1/aspect] fits into the image (where nothing does, the box is cut to it), and the place uniform.
    The paper draws height/width itself uniformly, so that three boxes out of four are tall, and draws area
    and shape anew until they fit, which makes large boxes a little rarer. Sides are rounded to whole pixels,
    at least one. Cutout is another method: its square may cross the border, and every image has one.

    Formula: x' = (1 - B) \odot x + B \odot z, \quad |B| = s\,H\,W, \quad s \sim U(s_1, s_2),
    \quad z \sim N(0, 1)

    Use: Images in which things are partly hidden, or where a single detail must not decide.

    Traps: On small images of thin strokes a box may hide what tells two classes apart, and the label is then
    noise. The paper fills with random values from 0 to 255; standardised inputs have no such range, and
    normal noise has their mean and spread.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    probability: Annotated[float, Field(ge=0, le=1, description="how often an image loses a box")] = 0.5
    smallest: Annotated[float, Field(gt=0, le=1, description="smallest area, as a share of the image")] = 0.02
    largest: Annotated[float, Field(gt=0, le=1, description="largest area, as a share of the image")] = 0.4
    aspect: Annotated[
        float, Field(gt=0, le=1, description="smallest height/width of the box; the largest is 1/aspect")
    ] = 0.3
    fill: Annotated[
        Literal["noise", "mean"],
        Field(description="noise writes N(0, 1) into each pixel, mean writes 0, the mean colour"),
    ] = "noise"

    @model_validator(mode="after")
    def _ranges_are_ranges(self) -> Self:
        if self.smallest > self.largest:
            raise ValueError(f"smallest to be at most largest (here {self.smallest:g} and {self.largest:g})")
        return self

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images, some of them with a box overwritten, and ``target`` as it is."""
        draws = noise.uniform(5, len(x), 1, like=x)
        sides = self._sides(draws[1], draws[2], *x.shape[2:])
        # a product just below a whole number may be rounded up to it
        top, left = (
            (u * (length - side + 1)).floor().minimum(length - side)
            for u, side, length in zip(draws[3:], sides, x.shape[2:], strict=True)
        )
        lost = box(top, left, *sides, like=x) * (draws[0] < self.probability)[:, :, None, None]
        if self.fill == "mean":
            return x * (1 - lost), target
        return noise.normal(*x.shape, like=x).where(lost > 0, x), target

    def _sides(self, area: Tensor, shape: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Return heights and widths in pixels for uniform draws."""
        share = self.smallest + (self.largest - self.smallest) * area
        # height/width = ratio fits if √(share·ratio) ≤ √(height/width) and √(share/ratio) ≤ √(width/height)
        own, spread = log(height / width), -share.log()
        low = (own - spread).clamp(min=log(self.aspect), max=-log(self.aspect))
        high = (own + spread).clamp(min=log(self.aspect), max=-log(self.aspect))
        ratio = (low + (high - low) * shape).exp()
        tall = (share * ratio * (height * width)).sqrt().round().clamp(1, height)
        wide = (share / ratio * (height * width)).sqrt().round().clamp(1, width)
        return tall, wide


EXAMPLE = RandomErasing()

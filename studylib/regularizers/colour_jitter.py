"""Random brightness, contrast, saturation and hue. Source: Howard (2013), https://arxiv.org/abs/1312.5402"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers._images import recoloured
from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class ColourJitter(Perturbation):
    r"""x ← s·c·(x − grey) + c·(grey − mean grey) + mean grey + b: other light on each image.

    c ~ U(1 ± contrast), s ~ U(1 ± saturation) and b ~ U(±brightness), one of each per image; grey is that of
    the pixel (0.299·red + 0.587·green + 0.114·blue), mean grey that of the image. At last hues turn by
    U(±hue) of the circle, largest and smallest channel of a pixel being kept.

    Inputs are standardised, so black is not 0, and nothing may be multiplied by a brightness: it is added, in
    standard deviations. Contrast, saturation and hue are what they are on pixels, provided that all channels
    were standardised by one mean and one deviation. Nothing is clipped to the range of pixels. A single
    channel is grey: saturation and hue have no effect on it.

    Formula: x' = s\,c\,(x - g) + c\,(g - \bar g) + \bar g + b, \quad g = \sum_k w_k x_k, \quad c \sim U(1
    \pm \gamma), \; s \sim U(1 \pm \sigma), \; b \sim U(\pm \beta)

    Use: Photographs, and scans that were lit or inked in different ways, where colour and light say nothing
    about the class.

    Traps: Where the colour is the class (ripe or not, stained or not), it takes away what there is to see. On
    per-channel standardised inputs grey pixels are not grey any more, and saturation and hue are but near
    what they are on pixels.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    brightness: Annotated[
        float, Field(ge=0, description="largest number added, in standard deviations of the pixels")
    ] = 0.0
    contrast: Annotated[
        float, Field(ge=0, le=1, description="contrasts are multiplied by 1 − contrast to 1 + contrast")
    ] = 0.0
    saturation: Annotated[
        float, Field(ge=0, le=1, description="colours are multiplied by 1 − saturation to 1 + saturation")
    ] = 0.0
    hue: Annotated[
        float, Field(ge=0, le=0.5, description="largest turn of the hues, as a share of the circle")
    ] = 0.0

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images in other light, and ``target`` as it is."""
        draws = 2 * noise.uniform(4, len(x), like=x) - 1
        b, c, s = self.brightness * draws[0], 1 + self.contrast * draws[1], 1 + self.saturation * draws[2]
        x = recoloured(x, b, c, s)
        if self.hue > 0 and x.shape[1] == 3:  # turning by 0 would change the last bits
            x = turned_hues(x, self.hue * draws[3])
        return x, target


def turned_hues(x: Tensor, turns: Tensor) -> Tensor:
    """Return images whose hues are ``turns`` (n,) of the circle further, as hue, saturation and value say.

    Value and saturation are fixed by a pixel's largest and smallest channel, which are kept: so black need
    not be 0.
    """
    import torch

    largest, smallest = x.amax(dim=1), x.amin(dim=1)
    chroma = largest - smallest
    divisor = chroma.where(chroma > 0, 1)
    red, green, blue = x.unbind(1)
    # in sixths of the circle
    hue = ((red - green) / divisor + 4).where(blue == largest, 0)
    hue = ((blue - red) / divisor + 2).where(green == largest, hue)
    hue = ((green - blue) / divisor).where(red == largest, hue)
    distance = (
        torch.arange(5, 0, -2, device=x.device)[:, None, None] + (hue + 6 * turns[:, None, None])[:, None]
    ) % 6
    share = distance.minimum(4 - distance).clamp(0, 1)
    return largest[:, None] - chroma[:, None] * share


EXAMPLE = ColourJitter(brightness=0.3, contrast=0.3, saturation=0.3)

"""CutMix. Source: Yun et al. (2019), https://arxiv.org/abs/1905.04899"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers._images import box
from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Cutmix(Perturbation):
    r"""A box of another image of the batch is pasted in, and targets are mixed by the area that shows.

    λ ~ Beta(alpha, alpha) and one box per batch: its sides are √(1 − λ) of the image's, in whole pixels, its
    centre is uniform over the pixels, and what crosses the border is lost. The share of the target is
    that of the pixels which are really pasted, not 1 − λ. The partners are a random order of the batch.

    Formula: x' = (1 - B) \odot x + B \odot x_{\pi}, \quad t' = (1 - a)\,t + a\,t_{\pi}, \quad a =
    \frac{|B|}{H\,W}

    Use: Photographs with small train sets, where single parts should be enough to recognise a class.

    Traps: The box may hold nothing but background, and the target says that its class is there. The loss and
    the accuracy on training rows say nothing about how well the rows themselves are fitted. In the
    authors' code an odd side loses a pixel; on small images that is felt, and here it does not.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})
    inputs: ClassVar[frozenset[str]] = frozenset({"images"})
    softens: ClassVar[bool] = True
    pairs: ClassVar[bool] = True

    alpha: Annotated[float, Field(gt=0, description="1 makes every share of the area equally likely")] = 1.0
    probability: Annotated[float, Field(ge=0, le=1, description="how often a batch is mixed")] = 1.0

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return every image with the box of one image of the batch, which may be itself."""
        height, width = x.shape[2:]
        mixes = noise.uniform(1, 1, like=x) < self.probability
        side = (1 - noise.beta(self.alpha, like=x)).sqrt()
        partner = noise.permutation(len(x), like=x)
        tall, wide = (side * height).floor(), (side * width).floor()
        top = noise.integers(0, height, 1, 1, like=x) - (tall / 2).floor()
        left = noise.integers(0, width, 1, 1, like=x) - (wide / 2).floor()
        pasted = box(top, left, tall, wide, like=x) * mixes[:, :, None, None]
        area = pasted.mean().to(target.dtype)
        return x[partner].where(pasted > 0, x), (1 - area) * target + area * target[partner]


EXAMPLE = Cutmix()

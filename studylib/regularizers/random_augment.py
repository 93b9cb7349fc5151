"""Random operations at one magnitude, after RandAugment.

Source: Cubuk et al. (2020), https://arxiv.org/abs/1909.13719
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers._images import recoloured, warped
from studylib.regularizers.base import Perturbation
from studylib.regularizers.cutout import without_square

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws

# what each operation does at magnitude 1
MOVE = 0.25  # of the side
TURN = 0.5  # radians, nearly 30°
SHEAR = 0.3
BRIGHTNESS = 0.8  # standard deviations
CONTRAST = 0.8  # more or less than 1
SQUARE = 0.25  # of the shorter side
OPERATIONS = 9


@final
class RandomAugment(Perturbation):
    r"""Each image goes through a few operations drawn from nine, all at one magnitude with a random sign.

    They are: none, move across or down (a quarter of the side at magnitude 1), turn (½ radian), shear across
    or down (0.3), brightness (0.8 standard deviations are added), contrast (times 1 ± 0.8), and a square
    set to 0 (a quarter of the shorter side). All are equally likely, with repetition.

    These keep digits and letters what they are: they are not mirrored, and turned by less than 30°. The
    paper's solarize, posterize, equalize and inversion are about pixels from 0 to 255, which standardised
    inputs are not.

    Formula: x' = o_k(\cdots o_1(x; \pm m) \cdots; \pm m), \quad o_i \sim U\{o^{(1)}, \ldots, o^{(9)}\}

    Use: Images, when it is not known which disturbance helps: two numbers are tuned instead of many.

    Traps: What the paper calls magnitude 10 or 30 depends on the implementation; 1 here is what is written
    above. Operations that hurt (brightness where it is the class) are drawn like all others.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    operations: Annotated[int, Field(ge=0, description="operations per image; 0 switches it off")] = 2
    magnitude: Annotated[
        float, Field(ge=0, le=1, description="how strong each is; 0 switches it off, 1 is the most")
    ] = 0.5

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images after their operations, and ``target`` as it is."""
        if self.magnitude > 0:  # interpolation would change the last bits
            for _ in range(self.operations):
                x = self._once(x, noise)
        return x, target

    def _once(self, x: Tensor, noise: Draws) -> Tensor:
        """Return each image after one operation: all are computed for it, at 0 but for the one drawn."""
        import torch

        chosen = noise.integers(0, OPERATIONS, len(x), like=x)[:, None]
        sign = (noise.uniform(len(x), 1, like=x) < 0.5).to(x.dtype) * 2 - 1
        amounts = self.magnitude * sign * (chosen == torch.arange(OPERATIONS, device=x.device))
        _, across, down, turn, slant, rise, brightness, contrast, square = amounts.unbind(1)
        moved = warped(x, _matrix(across, down, turn, slant, rise, x))
        # what is not moved keeps its last bits
        x = moved.where(amounts[:, 1:6].any(dim=1)[:, None, None, None], x)
        x = recoloured(x, BRIGHTNESS * brightness, 1 + CONTRAST * contrast, torch.ones_like(contrast))
        size = (square.abs() * (SQUARE * min(x.shape[2:]))).round().long()
        return without_square(x, size[:, None], noise)


def _matrix(across: Tensor, down: Tensor, turn: Tensor, slant: Tensor, rise: Tensor, x: Tensor) -> Tensor:
    """Return where the pixels come from, (n, 2, 3), when at most one of the amounts is not 0."""
    import torch

    height, width = x.shape[2:]
    cos, sin = (TURN * turn).cos(), (TURN * turn).sin()
    right = torch.stack([cos, SHEAR * slant - sin, MOVE * width * across], dim=1)
    below = torch.stack([sin + SHEAR * rise, cos, MOVE * height * down], dim=1)
    return torch.stack([right, below], dim=1)


EXAMPLE = RandomAugment()

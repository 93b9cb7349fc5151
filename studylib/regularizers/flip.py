"""Random mirroring. Source: Krizhevsky, Sutskever and Hinton (2017), https://doi.org/10.1145/3065386

A reprint of what they presented in 2012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Flip(Perturbation):
    r"""Each image is mirrored with the given probability.

    Formula: x'_{ij} = x_{i,\,W-1-j} \quad \text{or} \quad x'_{ij} = x_{H-1-i,\,j}

    Use: Photographs of things that look the same in a mirror, and views from above in both directions: the
    cheapest way to twice as many images.

    Traps: Only for images whose meaning survives it: a mirrored digit or letter is a wrong one, and so is a
    side of the body.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    axis: Annotated[
        Literal["horizontal", "vertical"],
        Field(description="horizontal swaps left and right, vertical swaps top and bottom"),
    ]
    probability: Annotated[float, Field(ge=0, le=1, description="how often an image is mirrored")] = 0.5

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images, some of them mirrored, and ``target`` as it is."""
        import torch

        axis = 3 if self.axis == "horizontal" else 2
        mirrored = noise.uniform(len(x), 1, 1, 1, like=x) < self.probability
        places = torch.arange(x.shape[axis], device=x.device).reshape((-1, 1) if axis == 2 else (-1,))
        # one gather: a mirrored copy of the batch to choose from would be written for nothing
        return x.gather(axis, places.flip(0).where(mirrored, places).expand(x.shape)), target


EXAMPLE = Flip(axis="horizontal")

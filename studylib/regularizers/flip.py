"""Random mirroring. Source: Krizhevsky, Sutskever and Hinton (2012), https://doi.org/10.1145/3065386"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Flip(Perturbation):
    """Each image is mirrored with the given probability.

    Only for images whose meaning survives it: a mirrored digit is a wrong one.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"images"})

    axis: Annotated[
        Literal["horizontal", "vertical"],
        Field(description="horizontal swaps left and right, vertical swaps top and bottom"),
    ]
    probability: Annotated[float, Field(ge=0, le=1, description="how often an image is mirrored")] = 0.5

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the images, some of them mirrored, and ``target`` as it is."""
        mirrored = x.flip(3 if self.axis == "horizontal" else 2)
        return mirrored.where(noise.uniform(len(x), 1, 1, 1, like=x) < self.probability, x), target


EXAMPLE = Flip(axis="horizontal")

"""Label smoothing. Source: Szegedy et al. (2016), https://doi.org/10.1109/CVPR.2016.308"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class LabelSmoothing(Perturbation):
    """t ← (1 − ε)·t + ε/K: a share ε of the target is spread evenly over all K classes.

    The true class is among the K, as in the paper and in torch; where only the K − 1 others share ε, the same
    number means a little more smoothing. The loss cannot reach 0 any more, so a smoothed loss must not be
    compared with a plain one.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})
    inputs: ClassVar[frozenset[str]] = frozenset({"images", "text", "tables"})
    softens: ClassVar[bool] = True

    strength: Annotated[float, Field(ge=0, lt=1, description="ε, share of the target that is spread")]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return ``x`` as it is, and the class probabilities smoothed."""
        return x, (1 - self.strength) * target + self.strength / target.shape[1]


EXAMPLE = LabelSmoothing(strength=0.1)

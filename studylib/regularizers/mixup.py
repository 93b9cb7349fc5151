"""Mixup. Source: Zhang et al. (2018), https://arxiv.org/abs/1710.09412"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Mixup(Perturbation):
    """λ·(x, t) + (1 − λ)·(x′, t′) with λ ~ Beta(alpha, alpha) per batch, (x′, t′) another random row.

    Class probabilities and the targets of a regression, (n,), are mixed alike. The loss and the accuracy on
    training rows then say nothing about how well the rows themselves are fitted.
    """

    tasks: ClassVar[frozenset[str]] = frozenset({"classification", "regression"})
    inputs: ClassVar[frozenset[str]] = frozenset({"images", "tables"})
    softens: ClassVar[bool] = True

    alpha: Annotated[
        float, Field(gt=0, description="0.2 mostly leaves one row nearly alone; 1 mixes in any proportion")
    ]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return every row mixed with one row of the same batch, which may be itself."""
        share, partner = noise.beta(self.alpha, like=x), noise.permutation(len(x), like=x)
        return share * x + (1 - share) * x[partner], share * target + (1 - share) * target[partner]


EXAMPLE = Mixup(alpha=0.2)

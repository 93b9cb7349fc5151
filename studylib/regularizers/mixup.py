"""Mixup. Source: Zhang et al. (2018), https://arxiv.org/abs/1710.09412"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import SUPERVISED, Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class Mixup(Perturbation):
    r"""λ·(x, t) + (1 − λ)·(x′, t′) with λ ~ Beta(alpha, alpha) per batch, (x′, t′) another random row.

    Class probabilities, the targets of a regression, (n,), and forecasts, (n, horizon), are mixed alike. The
    partners are a random order of the batch, in which a row may meet itself. On soft targets the
    cross-entropy is the mixture of the two.

    Formula: x'_i = \lambda\,x_i + (1 - \lambda)\,x_{\pi(i)}, \quad
    t'_i = \lambda\,t_i + (1 - \lambda)\,t_{\pi(i)}, \quad \lambda \sim \mathrm{Beta}(\alpha, \alpha)

    Use: Images and tables with few rows or wrong labels; the paper takes 1 for small photographs, 0.2 for
    large ones.

    Traps: The loss and the accuracy on mixed rows say nothing about how well the rows themselves are fitted.
    Where points between two classes belong to a third, the mixed target is wrong. Implementations that pair
    neighbours need shuffled batches.
    """

    tasks: ClassVar[frozenset[str]] = SUPERVISED
    inputs: ClassVar[frozenset[str]] = frozenset({"images", "tables", "series"})
    softens: ClassVar[bool] = True
    pairs: ClassVar[bool] = True

    alpha: Annotated[
        float, Field(gt=0, description="0.2 mostly leaves one row nearly alone; 1 mixes in any proportion")
    ]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return every row mixed with one row of the same batch, which may be itself."""
        share, partner = noise.beta(self.alpha, like=x), noise.permutation(len(x), like=x)
        return mixed(x, share, partner), mixed(target, share, partner)


def mixed(rows: Tensor, share: Tensor, partner: Tensor) -> Tensor:
    """Return ``share`` of each row and 1 − ``share`` of its partner, for row numbers ``partner`` (n,)."""
    return share * rows + (1 - share) * rows[partner]


EXAMPLE = Mixup(alpha=0.2)

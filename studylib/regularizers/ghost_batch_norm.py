"""Batch normalisation in small groups. Source: Hoffer et al. (2017), https://arxiv.org/abs/1705.08741"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Rewiring

if TYPE_CHECKING:
    from torch import nn

    from studylib.regularizers.base import Site
    from studylib.seeds import Draws


@final
class GhostBatchNorm(Rewiring):
    r"""γ·(h − mean)/√(variance + 10⁻⁵) + β in groups of ``size`` rows: large batches, noisy statistics.

    Rows stay in the order of the batch, which is random. The last group is what is left over; a lone row
    without a variance of its own joins the group before it. The running statistics take the groups one after
    the other, each by ``momentum``. With a ``size`` of at least the batch it is ``batch_norm``.

    Formula: \gamma\,\frac{h - \mu_G}{\sqrt{\sigma_G^2 + 10^{-5}}} + \beta, \qquad G \text{ the group of } s \text{ rows that } h \text{ is in}

    Use: Where large batches, chosen for speed, generalise worse than small ones did.

    Traps: Only training differs: evaluation uses the running statistics, which lag less than those of
    ``batch_norm``, because they move once per group. Groups of a few rows, 2 to 8, make the statistics so
    noisy that training and evaluation disagree.
    """  # noqa: E501  a formula is one line

    places: ClassVar[frozenset[str]] = frozenset({"normalisation"})
    pairs: ClassVar[bool] = True

    size: Annotated[int, Field(ge=2, description="rows that are normalised together")] = 16
    momentum: Annotated[
        float,
        Field(gt=0, le=1, description="share of the newest group in the running statistics, as torch counts"),
    ] = 0.1

    def module(self, site: Site, noise: Draws) -> nn.Module:
        """Return the normalisation of the channels of ``site``; it draws nothing from ``noise``."""
        from studylib.regularizers._normalisations import GhostNormalisation

        return GhostNormalisation(site.width, self.size, self.momentum)


EXAMPLE = GhostBatchNorm()

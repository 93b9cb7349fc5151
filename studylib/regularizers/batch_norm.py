"""Batch normalisation. Source: Ioffe and Szegedy (2015), https://arxiv.org/abs/1502.03167"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Rewiring

if TYPE_CHECKING:
    from torch import nn

    from studylib.regularizers.base import Site
    from studylib.seeds import Draws


@final
class BatchNorm(Rewiring):
    r"""γ·(h − mean)/√(variance + 10⁻⁵) + β per channel, over the batch in training, running in evaluation.

    Scale γ and shift β are learned. After few steps the running statistics still lag behind the weights: a
    tenth of the way per step at the default momentum. Units (n, channels) and maps (n, channels, height,
    width) are served alike.

    One value per channel, as in a last batch of one row, has no variance: it is normalised by the running
    statistics and leaves them alone. If no larger batch came before, that would switch the technique off in
    silence, and is a ``StudyError``.

    Formula: \gamma\,\frac{h - \mu_B}{\sqrt{\sigma_B^2 + 10^{-5}}} + \beta

    Use: For deep networks that train slowly, with batches of some tens of rows or more.

    Traps: The weights before it have no scale any more: their decay only sets the learning rate. Small
    batches make it noisy, and where other data than the train rows come the running statistics are wrong.
    """

    places: ClassVar[frozenset[str]] = frozenset({"normalisation"})
    pairs: ClassVar[bool] = True

    momentum: Annotated[
        float,
        Field(gt=0, le=1, description="share of the newest batch in the running statistics, as torch counts"),
    ] = 0.1

    def module(self, site: Site, noise: Draws) -> nn.Module:
        """Return the normalisation of the channels of ``site``; it draws nothing from ``noise``."""
        from studylib.regularizers._modules import Normalisation

        return Normalisation(site.width, self.momentum)


EXAMPLE = BatchNorm()

"""Dropout of whole branches. Source: Huang et al. (2016), https://arxiv.org/abs/1603.09382"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Dropping, Rate

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.regularizers.base import Site
    from studylib.seeds import Draws


@final
class StochasticDepth(Dropping):
    r"""h + f(h)·m/pₗ with m ~ Bernoulli(pₗ) per example, pₗ = 1 − rate·l/L: some branches are skipped.

    What is dropped is all that the residual connection l of L adds, in training only. Early branches, which
    the later ones build on, mostly survive: the survival falls linearly with the depth, to 1 − rate at the
    last. The paper draws once per batch, and scales by pₗ in evaluation; here each example draws, and kept
    branches are scaled up in training, which is the same on average.

    Formula: h_{l} = h_{l-1} + \frac{b_l}{p_l} f_l(h_{l-1}), \quad b_l \sim \mathrm{Bernoulli}(p_l), \quad p_l = 1 - r\,l/L

    Use: For deep residual networks; those with few branches take small rates.

    Traps: What some libraries call drop path or drop connect is this. Skipping saves time only if drawn per
    batch. The paper's 0.5 is for more than fifty blocks; with a handful it takes away most of the network.
    """  # noqa: E501  a formula is one line

    places: ClassVar[frozenset[str]] = frozenset({"branch"})

    rate: Rate

    def drop(self, h: Tensor, noise: Draws, site: Site) -> Tensor:
        """Return branches (n, …), each of the n kept or dropped as a whole by the depth of ``site``."""
        rate = self.rate * site.depth
        return h * noise.keep(h.shape[0], *[1] * (h.ndim - 1), rate=rate, like=h)


EXAMPLE = StochasticDepth(rate=0.2)

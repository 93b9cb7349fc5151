"""Dropout of attention weights. Source: Lin et al. (2019), https://arxiv.org/abs/1907.11065"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Dropping, Rate

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.regularizers.base import Site
    from studylib.seeds import Draws


@final
class AttentionDropout(Dropping):
    r"""A·m/(1 − rate) with m ~ Bernoulli(1 − rate) per attention weight after the softmax, in training only.

    A word then cannot count on any one other word. This is the common form, that of torch's
    ``MultiheadAttention``: kept weights are scaled up, and a row sums to 1 on average only. The paper, which
    studies what to drop, also scales rows so that each sums to 1.

    Formula: \tilde A = \operatorname{softmax}\left(Q K^\top / \sqrt{d}\right) \odot M / (1 - r), \quad M_{ij} \sim \mathrm{Bernoulli}(1 - r)

    Use: For transformers that overfit, at small rates, beside ``stochastic_depth``.

    Traps: ``scaled_dot_product_attention`` drops whenever its ``dropout_p`` is above 0, in evaluation too
    (measured with torch 2.13); here evaluation is free of it. In a short text a row may lose all its
    weights, and the word then hears nothing.
    """  # noqa: E501  a formula is one line

    places: ClassVar[frozenset[str]] = frozenset({"attention"})

    rate: Rate

    def drop(self, h: Tensor, noise: Draws, site: Site) -> Tensor:
        """Return weights (n, heads, length, length) with a draw of its own for each."""
        return h * noise.keep(*h.shape, rate=self.rate, like=h)


EXAMPLE = AttentionDropout(rate=0.1)

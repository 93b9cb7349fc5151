"""Wrong labels. Source: Zhang et al. (2017), https://arxiv.org/abs/1611.03530"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import Corruption

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class LabelNoise(Corruption):
    r"""A share of the train labels is wrong: replaced once, by another class, all others equally likely.

    The share is exact: rate·n labels, rounded, whose rows are drawn. With the same noise a larger rate
    spoils the same rows and more. Validation and test labels stay right. It is a test rather than a help:
    how much does a technique keep a model from learning by heart what is wrong?

    Formula: \tilde y_i = (y_i + d_i) \bmod K, \quad d_i \sim U\{1, \ldots, K - 1\} \text{ for } i \in S,
    \quad |S| = \lfloor \text{rate} \cdot n \rceil

    Use: In every arm of a study of memorisation: an arm that fits the train labels and is worse on test has
    learnt them by heart.

    Traps: At rate 1 every label is wrong, which says something about the right one; labels that say nothing
    have the rate (K − 1)/K. Papers that draw among all classes, the true one too, spoil rate·(K − 1)/K
    of the labels under the same name, as does the source above.
    """

    rate: Annotated[float, Field(ge=0, le=1, description="share of the train labels that are wrong")]

    def corrupt(self, y: Tensor, classes: int, noise: Draws) -> Tensor:
        """Return the class numbers (n,) to train with; exactly rate·n of them, rounded, are not ``y``."""
        place = noise.permutation(len(y), like=y)
        offset = noise.integers(1, classes, len(y), like=y)
        wrong = place + 0.5 < self.rate * len(y)
        return ((y + offset) % classes).where(wrong, y)


EXAMPLE = LabelNoise(rate=0.2)

"""Random swap of words, one of EDA's. Source: Wei and Zou (2019), https://doi.org/10.18653/v1/D19-1670"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers._text import PADDING, Share, changes, most_changes
from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class RandomSwap(Perturbation):
    r"""max(1, round(share·words)) times, two random words of a sentence change places.

    The two places of a pair differ; pairs are drawn independently, so that a later one may undo an earlier
    one. The paper says α·words; its authors' code rounds that down, and makes three attempts at two places
    that differ.

    Formula: x_i \leftrightarrow x_j,\ (i, j) \sim U\{i \ne j \le l\}, \text{ repeated }
    \max(1, \operatorname{round}(\alpha l)) \text{ times}

    Use: small collections of short texts, where what is said matters more than the order it is said in, and a
    model that could learn orders by heart.

    Traps: a model that only counts words does not notice. Where order carries the meaning, as with negation,
    the label may no longer be right.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"text"})

    share: Share

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the sentences with the same words in another order, and ``target`` as it is."""
        if self.share == 0:
            return x, target
        words, swaps = (x != PADDING).sum(dim=1), changes(x, self.share)
        for turn in range(most_changes(x, self.share)):
            pair = _two_places(words, noise)
            # a sentence that has had its swaps exchanges a place with itself
            pair = pair.where((turn < swaps)[:, None], pair[:, :1])
            x = x.scatter(1, pair, x.gather(1, pair.flip(1)))
        return x, target


def _two_places(words: Tensor, noise: Draws) -> Tensor:
    """Return two different random places per sentence, shape (n, 2); twice 0 if there is one word or none."""
    import torch

    draws = noise.uniform(2, len(words), like=words)
    first = (draws[0] * words).long()
    further = 1 + (draws[1] * (words - 1).clamp(min=0)).long()
    return torch.stack([first, (first + further) % words.clamp(min=1)], dim=1)


EXAMPLE = RandomSwap(share=0.1)

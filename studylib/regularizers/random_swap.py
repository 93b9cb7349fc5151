"""Random swap of words, one of EDA's. Source: Wei and Zou (2019), https://doi.org/10.18653/v1/D19-1670"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers._text import PADDING
from studylib.regularizers.base import Perturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class RandomSwap(Perturbation):
    """max(1, round(share·words)) times, two random words of a sentence change places.

    The two places of a pair differ; pairs are drawn independently, so that a later one may undo an earlier
    one. A model that only counts words does not notice.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"text"})

    share: Annotated[float, Field(ge=0, le=1, description="swaps per word; 0 switches it off")]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the sentences with the same words in another order, and ``target`` as it is."""
        if self.share == 0:
            return x, target
        words = (x != PADDING).sum(dim=1)
        swaps = (self.share * words.double()).round().clamp(min=1)
        for turn in range(max(1, round(self.share * x.shape[1]))):
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

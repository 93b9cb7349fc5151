"""Random deletion of words, one of EDA's. Source: Wei and Zou (2019), https://doi.org/10.18653/v1/D19-1670"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers._text import PADDING
from studylib.regularizers.base import Perturbation, Rate

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class RandomDeletion(Perturbation):
    """Each word leaves with probability rate and the others close up; one random word always stays."""

    inputs: ClassVar[frozenset[str]] = frozenset({"text"})

    rate: Rate

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the shorter sentences, padded at the end, and ``target`` as it is."""
        draws = noise.uniform(*x.shape, like=x).masked_fill(x == PADDING, -1)
        # the word with the largest draw: kept anyway if any is, and uniform among all if none is
        safe = draws.argmax(dim=1, keepdim=True)
        stays = (draws >= self.rate).scatter(1, safe, value=True)
        kept = x.masked_fill(~stays, PADDING)
        closed_up = (kept == PADDING).byte().argsort(dim=1, stable=True)
        return kept.gather(1, closed_up), target


EXAMPLE = RandomDeletion(rate=0.1)

"""Word dropout. Source: Bowman et al. (2016), https://doi.org/10.18653/v1/K16-1002"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers._text import PADDING, UNKNOWN
from studylib.regularizers.base import Perturbation, Rate

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class WordDropout(Perturbation):
    """xₜ ← the unknown word with probability rate, for each word of each sentence.

    The length stays, and the model learns what to make of unknown words, which validation and test contain
    and train does not.
    """

    inputs: ClassVar[frozenset[str]] = frozenset({"text"})

    rate: Rate

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the sentences with some words unknown, and ``target`` as it is."""
        hidden = (noise.uniform(*x.shape, like=x) < self.rate) & (x != PADDING)
        return x.masked_fill(hidden, UNKNOWN), target


EXAMPLE = WordDropout(rate=0.1)

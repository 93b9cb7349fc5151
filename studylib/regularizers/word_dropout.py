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
    r"""xₜ ← the unknown word with probability rate, for each word of each sentence.

    The length stays, and the model learns what to make of unknown words, which validation and test contain
    and train does not. Nothing is scaled up for the words that are hidden.

    Formula: x_t \leftarrow b_t x_t + (1 - b_t) \cdot \texttt{unknown},\
    b_t \sim \mathrm{Bernoulli}(1 - p)

    Use: texts whose test rows have words that train does not have; models that would rely on a few words.

    Traps: the same name is used for removing the words (``random_deletion``) and for hiding every occurrence
    of a word of the vocabulary at once (``embedding_dropout``). If the vocabulary is that of the train rows
    without a minimum count, the unknown word is learnt from this noise alone.
    """

    elementwise: ClassVar[bool] = True
    inputs: ClassVar[frozenset[str]] = frozenset({"text"})

    rate: Rate

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return the sentences with some words unknown, and ``target`` as it is."""
        hidden = (noise.uniform(*x.shape, like=x) < self.rate) & (x != PADDING)
        return x.masked_fill(hidden, UNKNOWN), target


EXAMPLE = WordDropout(rate=0.1)

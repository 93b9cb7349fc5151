"""Easy data augmentation, EDA. Source: Wei and Zou (2019), https://doi.org/10.18653/v1/D19-1670"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import LexicalPerturbation
from studylib.regularizers.random_deletion import RandomDeletion
from studylib.regularizers.random_insertion import RandomInsertion
from studylib.regularizers.random_swap import RandomSwap
from studylib.regularizers.synonym_replacement import SynonymReplacement

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class EDA(LexicalPerturbation):
    r"""A sentence has, with the given probability, one of four: synonyms in, words in, swapped, or out.

    Which one is drawn anew for each sentence of each batch, all four alike. The paper makes n copies of each
    sentence once, each by one operation, and trains on them and the original: a sentence met at random there
    is a disturbed one with probability n/(n + 1), so its n of 16, 8 and 4 are probabilities of 0.94, 0.89 and
    0.8. An epoch here has no more steps than without, and no copy is seen twice.

    Formula: x \leftarrow f_k(x; \alpha) \text{ with probability } q,\ k \sim U\{1, 2, 3, 4\},\
    f = (\text{replacement}, \text{insertion}, \text{swap}, \text{deletion with } p = \alpha)

    Use: classification of short texts with few rows. The paper finds 3.0 points of accuracy on average over
    five tasks with 500 rows and 0.8 with all of them, and takes α = 0.05 with 500 rows, and 0.1 with all.

    Traps: with the epochs of the baseline a model has seen fewer undisturbed sentences, and not more steps as
    in the paper: compare after convergence. What each operation changes is in its own traps
    (``synonym_replacement``, ``random_insertion``, ``random_swap``, ``random_deletion``).
    """

    share: Annotated[
        float, Field(ge=0, lt=1, description="α, changes per word, and probability that a word is deleted")
    ]
    probability: Annotated[
        float, Field(ge=0, le=1, description="of a sentence to be disturbed; n/(n + 1) for n copies of each")
    ]

    def perturb(self, x: Tensor, noise: Draws, synonyms: Tensor) -> Tensor:
        """Return the sentences, each of them disturbed in one way or not at all."""
        outcomes = (
            SynonymReplacement(share=self.share).perturb(x, noise, synonyms),
            RandomInsertion(share=self.share).perturb(x, noise, synonyms),
            RandomSwap(share=self.share).perturb(x, x, noise)[0],
            RandomDeletion(rate=self.share).perturb(x, x, noise)[0],
        )
        draws = noise.uniform(2, len(x), like=x)
        which, disturbed = (draws[0] * len(outcomes)).long(), draws[1] < self.probability
        for number, outcome in enumerate(outcomes):
            x = outcome.where(((which == number) & disturbed)[:, None], x)
        return x


EXAMPLE = EDA(share=0.1, probability=0.8)

"""Synonym replacement, one of EDA's. Source: Wei and Zou (2019), https://doi.org/10.18653/v1/D19-1670"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from studylib.regularizers._text import PADDING, Share, a_synonym, changes
from studylib.regularizers.base import LexicalPerturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class SynonymReplacement(LexicalPerturbation):
    r"""max(1, round(share·words)) random words of a sentence give way to a synonym of theirs.

    Only words that have a synonym are drawn, without replacement, and all of them if they are fewer. Synonyms
    are those of Open English WordNet inside the vocabulary; function words ("in", "he") have none, which are
    the stop words of the paper. Its authors' code replaces a drawn word wherever it occurs in the sentence,
    and finds synonyms of inflected words by their base form; here a word is what the vocabulary says.

    Formula: x_t \leftarrow s_t \sim U(S(x_t)) \text{ for } t \in T,\ T \text{ random of }
    C = \{t : S(x_t) \ne \emptyset\},\ |T| = \min(|C|, \max(1, \operatorname{round}(\alpha l)))

    Use: small collections of texts, where the same thing is said in other words in test.

    Traps: WordNet's synonyms are those of all senses of a word, so that some change the meaning, and in
    technical texts many do: to ``docstrings`` it offers "range" for "array", and "draw" for "string". Few
    words have any: with 240 train rows of ``docstrings`` one word in nine, for a synonym that the vocabulary
    does not have cannot be used. At least one word of a sentence gives way, however small the share.
    """

    share: Share

    def perturb(self, x: Tensor, noise: Draws, synonyms: Tensor) -> Tensor:
        """Return the sentences with some words replaced; their lengths stay."""
        if self.share == 0:
            return x
        order, choice = noise.uniform(2, *x.shape, like=x)
        synonym = a_synonym(synonyms[x], choice)
        # words without a synonym come last, and are left out by what follows anyway
        order = order.masked_fill(synonym == PADDING, -1)
        place = order.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
        drawn = (place < changes(x, self.share)[:, None]) & (synonym != PADDING)
        return synonym.where(drawn, x)


EXAMPLE = SynonymReplacement(share=0.1)

"""Random insertion of synonyms, one of EDA's. Source: Wei and Zou (2019), https://doi.org/10.18653/v1/D19-1670"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from studylib.regularizers._text import PADDING, Share, a_synonym, changes, most_changes
from studylib.regularizers.base import LexicalPerturbation

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.seeds import Draws


@final
class RandomInsertion(LexicalPerturbation):
    r"""max(1, round(share·words)) times, a synonym of a random word comes in at a random place.

    The word is drawn among those that have a synonym, those that came in before included; every place is
    equally likely, the two ends too. A sentence without such a word stays as it is. What no longer fits into
    the width falls off the end, as it does where texts are augmented before they are cut.

    Formula: x \leftarrow (x_{1:p},\ s,\ x_{p+1:l}),\ p \sim U\{0, \dots, l\},\ s \sim U(S(x_t)),\
    t \sim U\{t : S(x_t) \ne \emptyset\}, \text{ repeated } \max(1, \operatorname{round}(\alpha l))
    \text{ times}

    Use: small collections of short texts, where a further word more or less should not decide.

    Traps: sentences that fill the width lose their last words. Texts become longer in training only, which a
    model that sums over words notices. Synonyms are those of all senses of a word, as with
    ``synonym_replacement``.
    """

    share: Share

    def perturb(self, x: Tensor, noise: Draws, synonyms: Tensor) -> Tensor:
        """Return the sentences with some words more; the width stays."""
        if self.share == 0:
            return x
        insertions = changes(x, self.share)
        for turn in range(most_changes(x, self.share)):
            draws = noise.uniform(3, len(x), like=x)
            x = _with_one_more(x, draws, synonyms).where((turn < insertions)[:, None], x)
        return x


def _with_one_more(x: Tensor, draws: Tensor, synonyms: Tensor) -> Tensor:
    """Return each sentence with one synonym of a word of it; ``draws`` (3, n) choose word, synonym, place."""
    import torch

    has_some = synonyms[x][..., 0] != PADDING
    drawn = (draws[0] * has_some.sum(dim=1)).long()
    # as many places lie before the drawn word as have seen at most that many words with synonyms
    word = (has_some.cumsum(dim=1) <= drawn[:, None]).sum(dim=1).clamp(max=x.shape[1] - 1)
    synonym = a_synonym(synonyms[x.gather(1, word[:, None])[:, 0]], draws[1])
    place = (draws[2] * ((x != PADDING).sum(dim=1) + 1)).long()

    places = torch.arange(x.shape[1], device=x.device)
    moved = x.gather(1, places - (places > place[:, None]).long())
    longer = synonym[:, None].where(places == place[:, None], moved)
    return longer.where((synonym != PADDING)[:, None], x)


EXAMPLE = RandomInsertion(share=0.1)

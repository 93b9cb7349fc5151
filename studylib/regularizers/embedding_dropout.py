"""Dropout of word types. Source: Gal and Ghahramani (2016), https://arxiv.org/abs/1512.05287

Once per batch: Merity, Keskar and Socher (2018), https://arxiv.org/abs/1708.02182
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, final

from pydantic import Field

from studylib.regularizers.base import SUPERVISED, LayerRewiring, Layers, Rate

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studylib.seeds import Draws


@final
class EmbeddingDropout(LayerRewiring):
    r"""e(w)·m_w/(1 − rate) with m_w ~ Bernoulli(1 − rate) per word type: a dropped word is gone everywhere.

    Whole rows of the embedding are dropped, in training only, so that a text without them still has to be
    understood. Per ``sequence`` each text draws for its own words, as Gal and Ghahramani do; per ``batch``
    one draw for the vocabulary serves all texts, as Merity et al. do. ``layers`` is ``embedding`` by default:
    dropping positions is another method.

    Formula: \tilde e(w) = e(w)\, m_w / (1 - r), \quad m_w \sim \mathrm{Bernoulli}(1 - r) \text{ once per word type}

    Use: For text of which a few words give the class away, and where they may be missing later.

    Traps: It is no ``dropout`` on word vectors, which drops their elements, nor ``word_dropout``, which
    hides single occurrences behind the unknown word. Words that the model has no need for cost nothing, so
    frequent words are what it acts on.
    """  # noqa: E501  a formula is one line

    tasks: ClassVar[frozenset[str]] = SUPERVISED
    fits: ClassVar[frozenset[str]] = frozenset({"embedding"})
    weight: ClassVar[Literal["parameter", "made", "normed", "input"]] = "parameter"

    layers: Layers = "embedding"
    rate: Rate
    per: Annotated[
        Literal["sequence", "batch"], Field(description="what shares a draw: the words of a text, or of all")
    ] = "sequence"

    def kept(self, text: Tensor, table: Tensor, noise: Draws) -> Tensor:
        """Return what the vectors of ``text`` (n, length) are multiplied by, (n, length, 1).

        Args:
            text: numbers of words, rows of ``table``.
            table: (vocabulary, dimension).
            noise: where all randomness comes from.
        """
        from torch.nn import functional

        if self.per == "batch":
            return functional.embedding(text, noise.keep(len(table), 1, rate=self.rate, like=table))
        draws = noise.keep(*text.shape, rate=self.rate, like=table)
        return draws.gather(-1, _first(text)).unsqueeze(-1)

    def rewired(self, layer: nn.Module, noise: Draws, rows: int) -> nn.Module:
        from studylib.regularizers._sequences import DroppedWords

        return DroppedWords(self, noise, layer)


def _first(text: Tensor) -> Tensor:
    """Return for each word of (n, length) where in its text it stands first.

    A draw for each position, of which the first counts, is a draw for each word: so a text costs its length
    in draws, and not a vocabulary.
    """
    same = text.unsqueeze(-1) == text.unsqueeze(-2)
    # positions have ones up to the first and zeros from there on, of which the sum is where it is
    return (same.cumsum(-1) == 0).sum(-1)


EXAMPLE = EmbeddingDropout(rate=0.1)

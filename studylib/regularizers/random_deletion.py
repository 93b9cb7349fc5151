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
    r"""Each word leaves with probability rate and the others close up; one random word always stays.

    Words are counted where they stand: a word that occurs twice may leave once. The number of words that
    leave is random, other than that of EDA's further operations.

    Formula: x \leftarrow (x_t : b_t = 1),\ b_t \sim \mathrm{Bernoulli}(1 - p); \text{ if all } b_t = 0,\
    x \leftarrow (x_u),\ u \sim U\{1, \dots, l\}

    Use: small collections of texts that say the same thing more than once, so that no single word should
    decide.

    Traps: a word that the label hangs on, such as "not", leaves as easily as any other: in short texts keep
    the rate low (the paper takes 0.05 to 0.1). Texts become shorter by the rate in training only, which a
    model that sums over words notices.
    """

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

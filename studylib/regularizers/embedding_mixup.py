"""Mixup of word vectors. Source: Guo, Mao and Zhang (2019), https://arxiv.org/abs/1905.08941"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.regularizers.base import Perturbation, Rewiring
from studylib.regularizers.mixup import mixed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studylib.regularizers.base import Site
    from studylib.seeds import Draws


@final
class EmbeddingMixup(Perturbation, Rewiring):
    r"""λ·(e, t) + (1 − λ)·(e′, t′): vectors of words at the same place, and targets, of two sentences.

    λ ~ Beta(alpha, alpha) once per batch, and (e′, t′) another random row of it: ``wordMixup`` of the source.
    Targets are mixed before the model, word vectors inside it, each by draws of its own from equal noise:
    once per batch on either side, so that they agree. Evaluation is left alone.

    A sentence keeps its own length, for what passes here does not know where words end. A longer partner
    is cut there; where a shorter one has ended, the vector of padding is mixed in, as in the source. The
    target is mixed by λ all the same.

    Formula: e'_{it} = \lambda\,e_{it} + (1 - \lambda)\,e_{\pi(i)t}, \quad
    t'_i = \lambda\,t_i + (1 - \lambda)\,t_{\pi(i)}, \quad \lambda \sim \mathrm{Beta}(\alpha, \alpha)

    Use: Short texts of about the same length with few labelled rows, to which no other mixing applies.

    Traps: Where lengths differ much, the words that decide the partner's class may be cut off while its
    target stays. A trainer that runs the model twice on one batch would put vectors and targets out of step.
    """

    kind: ClassVar[str] = Perturbation.kind
    alone: ClassVar[str] = "it mixes embeddings inside the network of one fit"
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})
    inputs: ClassVar[frozenset[str]] = frozenset({"text"})
    softens: ClassVar[bool] = True
    pairs: ClassVar[bool] = True
    places: ClassVar[frozenset[str]] = frozenset({"embedding"})

    alpha: Annotated[
        float, Field(gt=0, description="0.2 mostly leaves one row nearly alone; 1 mixes in any proportion")
    ]

    def perturb(self, x: Tensor, target: Tensor, noise: Draws) -> tuple[Tensor, Tensor]:
        """Return ``x`` as it is, and the targets mixed."""
        return x, self.mixed(target, noise)

    def mixed(self, rows: Tensor, noise: Draws) -> Tensor:
        """Return targets (n, classes) or word vectors (n, length, width) mixed: equal noise, equal draws."""
        share, partner = noise.beta(self.alpha, like=rows), noise.permutation(len(rows), like=rows)
        return mixed(rows, share, partner)

    def module(self, site: Site, noise: Draws) -> nn.Module:
        """Return the module that mixes word vectors in training."""
        from studylib.regularizers._mixing import Mixing

        return Mixing(self, noise)


EXAMPLE = EmbeddingMixup(alpha=0.2)

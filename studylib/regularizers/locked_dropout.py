"""Dropout locked over time. Source: Gal and Ghahramani (2016), https://arxiv.org/abs/1512.05287"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Dropping, Rate

if TYPE_CHECKING:
    from torch import Tensor

    from studylib.regularizers.base import Site
    from studylib.seeds import Draws


@final
class LockedDropout(Dropping):
    r"""hₜ·m/(1 − rate), one mask m per sequence at all its steps: on inputs, outputs and recurrent state.

    The paper calls it variational dropout. A unit is dropped from the beginning of a sequence to its end, in
    training only. Each place has a mask of its own, and each sequence of a batch too. ``layers`` says where:
    ``embedding`` is the inputs, ``recurrent`` the state that a step hands to the next, ``states`` the
    outputs; by default it is all three.

    Formula: \tilde h_t = h_t \odot m / (1 - r), \quad m_j \sim \mathrm{Bernoulli}(1 - r) \text{ once per sequence}

    Use: For recurrent networks that overfit, where a new mask at each step would wear the memory down; on
    the inputs of any network for text.

    Traps: A recurrent state can only be masked in a loop of one's own, which is several times slower than
    the fused one; to leave it out, choose ``layers``. Popular code shares one mask over the whole batch.
    torch's ``LSTM(dropout=…)`` is another method: new masks at each step, between stacked layers only.
    """  # noqa: E501  a formula is one line

    places: ClassVar[frozenset[str]] = frozenset({"embedding", "sequence", "state"})

    rate: Rate

    def drop(self, h: Tensor, noise: Draws, site: Site) -> Tensor:
        """Return (n, length, width), or the multipliers of a state (n, width), with a mask per sequence."""
        mask = noise.keep(h.shape[0], *[1] * (h.ndim - 2), h.shape[-1], rate=self.rate, like=h)
        return h * mask


EXAMPLE = LockedDropout(rate=0.3)

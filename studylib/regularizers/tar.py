"""Temporal activation regularization.

Source: Merity, McCann and Socher (2017), https://arxiv.org/abs/1708.01009
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from studylib.regularizers.base import ActivationPenalty, Strength

if TYPE_CHECKING:
    from torch import Tensor


@final
class TAR(ActivationPenalty):
    r"""λ·mean((hₜ₊₁ − hₜ)²) over units and neighbouring words of a batch: hidden states change slowly.

    The mean is over all elements of all differences between two words, as in the authors' code, so λ does
    not depend on the length of texts or on the width. The states are those before dropout; a step into
    padding does not count, and a text of one word has none.

    Formula: \frac{\lambda}{P d} \sum_{t} \lVert h_{t+1} - h_t \rVert_2^2 \text{ over the } P \text{ pairs of neighbouring words}

    Use: For recurrent networks, beside ``ar``; the authors take λ = 1.

    Traps: Taken after dropout, or over padding, it costs what no network could avoid. A classifier that has
    to react to single words may need states that jump.
    """  # noqa: E501  a formula is one line

    strength: Strength

    def value(self, states: Tensor, dropped: Tensor, words: Tensor) -> Tensor:
        """Return λ·mean of the squared differences of ``states`` from word to word; 0 where there is none."""
        pairs = (words[:, 1:] & words[:, :-1]).unsqueeze(-1).to(states.dtype)
        elements = pairs.sum().clamp(min=1) * states.shape[-1]
        return self.strength * (states.diff(dim=1).square() * pairs).sum() / elements


EXAMPLE = TAR(strength=1.0)

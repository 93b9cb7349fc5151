"""Activation regularization. Source: Merity, McCann and Socher (2017), https://arxiv.org/abs/1708.01009"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from studylib.regularizers.base import ActivationPenalty, Strength

if TYPE_CHECKING:
    from torch import Tensor


@final
class AR(ActivationPenalty):
    r"""λ·mean(h̃²) over units and words of a batch: hidden states, after dropout, stay small.

    The mean is over all elements of all states at a word, as in the authors' code, so λ does not depend on
    the length of texts or on the width; the states of padding do not count.

    Formula: \frac{\lambda}{T d} \sum_{t=1}^{T} \lVert m_t \odot h_t \rVert_2^2 \text{ over the } T \text{ words of a batch}

    Use: For recurrent networks, beside dropout of their states and ``tar``; the authors take λ = 2.

    Traps: The paper writes a norm where its code takes the mean of squares: λ of one is none for the other.
    States of an LSTM lie within ±1, so the cost is at most λ without dropout.
    """  # noqa: E501  a formula is one line

    strength: Strength

    def value(self, states: Tensor, dropped: Tensor, words: Tensor) -> Tensor:
        """Return λ·mean of the squares of ``dropped`` at ``words``; 0 where there is none."""
        there = words.unsqueeze(-1).to(dropped.dtype)
        elements = there.sum().clamp(min=1) * dropped.shape[-1]
        return self.strength * (dropped.square() * there).sum() / elements


EXAMPLE = AR(strength=2.0)

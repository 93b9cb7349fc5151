"""The open places of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Site:
    """An open place in a network, where a rewiring may put a module.

    Attributes:
        layer: the layer that it follows.
        place: what passes: ``normalisation`` (n, width) or (n, width, height, width) before the activation;
            ``units`` (n, width) and ``maps`` (n, width, height, width) after it; ``embedding`` word vectors
            (n, length, width); ``factors`` (n, width) or (n, k, width); ``sequence`` hidden states
            (n, length, width); ``state`` what the recurrent state is multiplied by at every step (n, width),
            asked for once per sequence with ones; ``attention`` weights (n, heads, length, length) after the
            softmax; ``branch`` (n, …, width), what a residual connection adds.
        width: channels.
        depth: where the place is, above 0 at the first and 1 at the last residual connection.
    """

    layer: str
    place: str
    width: int
    depth: float = 1.0

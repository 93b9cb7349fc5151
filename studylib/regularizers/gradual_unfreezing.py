"""Gradual unfreezing. Source: Howard and Ruder (2018), https://doi.org/10.18653/v1/P18-1031"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import Unfreezing

if TYPE_CHECKING:
    from collections.abc import Sequence


@final
class GradualUnfreezing(Unfreezing):
    r"""θˡ is fixed until epoch (L − l)·epochs: the output learns first, then one more layer at a time.

    A layer is a group of its own, with its bias and its normalisation, whose statistics stay as well: popular
    implementations go on renewing them. The output layer, the last, always learns. Layers that are frozen
    have no gradient, and nothing else moves them: no decay, no prox, no momentum of an optimizer.

    Formula: \theta^{l}_{e+1} = \theta^{l}_{e} \quad \text{while } e < (L - l)\,E, \quad l = 1, \dots, L

    Use: When lower layers carry weights from another training that the first, large gradients of a new
    output would destroy.

    Traps: On random weights it only delays learning. The lowest layer begins to learn after (L − 1)·epochs
    epochs, which a short training or early stopping may never reach.
    """

    epochs: Annotated[int, Field(ge=1, description="epochs after which one more layer learns")] = 1

    def frozen(self, layers: Sequence[str], epoch: int) -> frozenset[str]:
        """Return all but the last 1 + ⌊epoch/epochs⌋ layers."""
        learning = 1 + epoch // self.epochs
        return frozenset(layers[: max(len(layers) - learning, 0)])


EXAMPLE = GradualUnfreezing()

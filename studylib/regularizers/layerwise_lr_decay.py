"""Layer-wise learning rates. Source: Howard and Ruder (2018), https://doi.org/10.18653/v1/P18-1031

Their discriminative fine-tuning, under the name that Clark et al. (2020) gave it in ELECTRA,
https://arxiv.org/abs/2003.10555
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import LayerRates

if TYPE_CHECKING:
    from collections.abc import Sequence


@final
class LayerwiseLrDecay(LayerRates):
    r"""ηₖ = η·decayᵏ for the k-th layer from the top, which is 0: low layers learn more slowly.

    Layers are counted whether ``layers`` covers them or not. The paper divides by 2.6 from layer to layer, a
    decay of about .38; ELECTRA takes .8 or .9.

    Formula: \eta_k = \eta \cdot d^{\,k}

    Use: Lower layers were learnt elsewhere and hold what is general; the top is new, and has to move.

    Traps: Powers are quickly small: at 1/2.6 the fifth layer from the top learns at 2 % of the rate, which is
    nearly frozen. With weights that all are new it only slows the lower layers down. weight_decay is
    multiplied by the learning rate too, and then differs from layer to layer.
    """

    decay: Annotated[
        float,
        Field(gt=0, le=1, description="learning rate of a layer as a share of that above; 1 changes nothing"),
    ]

    def share(self, layer: str, layers: Sequence[str]) -> float:
        """Return decayᵏ for the k-th of ``layers`` from their end."""
        return float(self.decay ** (len(layers) - 1 - layers.index(layer)))


EXAMPLE = LayerwiseLrDecay(decay=1 / 2.6)

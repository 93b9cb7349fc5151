"""What is minimised: the loss per example, and every price that the techniques of an arm add to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from studylib.regularizers._modules import Costly
from studylib.regularizers.base import (
    ActivationPenalty,
    AnchoredPenalty,
    ConcavePenalty,
    InteractionPenalty,
    OutputPenalty,
)
from studylib.trainers._rewiring import weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from studylib.models.base import Model
    from studylib.trainers.techniques import Techniques


@final
class Objective:
    """Adds the smooth prices to a loss; those that have a prox are left to the update."""

    def __init__(self, techniques: Techniques, module: nn.Module, model: Model) -> None:
        self._live = techniques.live
        self._module = module
        layers = model.layers()
        self._smooth = [(p, layer) for p in techniques.smooth for layer in layers if p.covers(layer)]
        concave = techniques.of(ConcavePenalty)
        self._concave = [(p, layer) for p in concave for layer in layers if p.covers(layer)]
        anchored = techniques.of(AnchoredPenalty)
        self._anchored = [(p, layer) for p in anchored for layer in layers if p.covers(layer)]
        self._anchors: dict[tuple[str, str], Tensor] = {}
        self._of_outputs = techniques.of(OutputPenalty)
        self._of_activations = techniques.of(ActivationPenalty)
        self._of_interactions = techniques.of(InteractionPenalty)
        self._costly = [part for part in module.modules() if isinstance(part, Costly)]

    def begin(self, epoch: int) -> None:
        """Let the anchors that are renewed in this epoch (0 is the first) be the weights as they are."""
        for penalty, layer in self._anchored:
            if penalty.renews(epoch):
                self._anchors[penalty.name, layer] = weights(self._module, layer).detach().clone()

    def __call__(self, loss: Tensor) -> Tensor:
        """Return ``loss`` with the prices of the weights as they are."""
        for penalty, layer in self._smooth:
            loss = loss + self._live(penalty).value(weights(self._module, layer))
        for concave, layer in self._concave:
            loss = loss - self._live(concave).relief(weights(self._module, layer))
        for anchored, layer in self._anchored:
            anchor = self._anchors[anchored.name, layer]
            loss = loss + self._live(anchored).value(weights(self._module, layer), anchor)
        for part in self._costly:
            loss = loss + part.cost()
        return loss

    def of_outputs(self, loss: Tensor, outputs: Tensor) -> Tensor:
        """Return ``loss`` with the prices of a batch's outputs and hidden states too."""
        for penalty in self._of_outputs:
            loss = loss + self._live(penalty).value(outputs)
        for activation in self._of_activations:
            loss = loss + self._live(activation).value(*self._module.trace)  # type: ignore[misc]  # of the last batch
        return self(loss)

    def of_interactions(self, loss: Tensor, tables: Sequence[Tensor], used: Sequence[Tensor]) -> Tensor:
        """Return ``loss`` with the prices of the embeddings that a batch of interactions used too."""
        for penalty in self._of_interactions:
            loss = loss + self._live(penalty).value(tables, used)
        return self(loss)

"""What is minimised: the loss per example, and every price that the techniques of an arm add to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, final

from studylib.regularizers._modules import Costly
from studylib.regularizers.base import (
    ActivationPenalty,
    AnchoredPenalty,
    ConcavePenalty,
    InteractionPenalty,
    Layered,
    OutputPenalty,
)
from studylib.trainers._rewiring import acting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor, nn

    from studylib.models.base import Model
    from studylib.regularizers.base import Rows
    from studylib.trainers.techniques import Techniques

L = TypeVar("L", bound=Layered)


@final
class Objective:
    """Adds the smooth prices to a loss; those that have a prox are left to the update."""

    def __init__(self, techniques: Techniques, module: nn.Module, model: Model) -> None:
        self._live = techniques.live
        self._module = module

        def covered(some: Iterable[L]) -> list[tuple[L, Callable[[], Tensor]]]:
            return [
                (one, acting(module, layer)) for one in some for layer in model.layers() if one.covers(layer)
            ]

        self._smooth = covered(techniques.smooth)
        self._concave = covered(techniques.of(ConcavePenalty))
        self._anchored = covered(techniques.of(AnchoredPenalty))
        self._anchors: list[Tensor] = [weight().detach().clone() for _, weight in self._anchored]
        self._of_outputs = techniques.of(OutputPenalty)
        self._of_activations = techniques.of(ActivationPenalty)
        self._of_interactions = techniques.of(InteractionPenalty)
        self._costly = [part for part in module.modules() if isinstance(part, Costly)]

    def begin(self, epoch: int) -> None:
        """Let the anchors that are renewed in this epoch (0 is the first) be the weights as they are."""
        for place, (penalty, weight) in enumerate(self._anchored):
            if penalty.renews(epoch):
                self._anchors[place] = weight().detach().clone()

    def __call__(self, loss: Tensor) -> Tensor:
        """Return ``loss`` with the prices of the weights as they are."""
        for penalty, weight in self._smooth:
            loss = loss + self._live(penalty).value(weight())
        for concave, weight in self._concave:
            loss = loss - self._live(concave).relief(weight())
        for (anchored, weight), anchor in zip(self._anchored, self._anchors, strict=True):
            loss = loss + self._live(anchored).value(weight(), anchor)
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

    def of_interactions(self, loss: Tensor, tables: Sequence[Tensor], used: Sequence[Rows]) -> Tensor:
        """Return ``loss`` with the prices of the embeddings that a batch of interactions used too."""
        for penalty in self._of_interactions:
            loss = loss + self._live(penalty).value(tables, used)
        return self(loss)

    def of_biases(self, loss: Tensor, tables: Sequence[Tensor], used: Sequence[Rows]) -> Tensor:
        """Return ``loss`` with the prices of the biases, each (rows, 1), that a batch of ratings used."""
        for penalty in self._of_interactions:
            loss = loss + self._live(penalty).bias_value(tables, used)
        return loss

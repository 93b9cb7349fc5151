"""What is minimised for each fit of a stack: its loss, and every price that its techniques add to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, final

import torch

from studylib.regularizers.base import AnchoredPenalty, ConcavePenalty, Layered, OutputPenalty, Penalty
from studylib.trainers._together import Together, of_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor, nn

    from studylib.models.base import Model
    from studylib.trainers.techniques import Techniques

L = TypeVar("L", bound=Layered)


def cross_entropies(outputs: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy of each replica, (replicas,).

    Args:
        outputs: scores (replicas, n, classes).
        target: class numbers (replicas, n), or probabilities (replicas, n, classes).
    """
    rows, classes = outputs.shape[1:]
    # the rows side by side, of which a core takes many at once
    logs = outputs.transpose(1, 2).log_softmax(1)
    if target.is_floating_point():
        terms = logs * target.transpose(1, 2)
    else:
        terms = logs.where(target.unsqueeze(1) == torch.arange(classes, device=target.device)[:, None], 0)
    return terms.flatten(1).sum(1) / -rows


def squared_errors(outputs: Tensor, target: Tensor) -> Tensor:
    """Return the mean of (output − target)² of each replica, (replicas,)."""
    return (outputs.reshape(target.shape) - target).square().flatten(1).mean(1)


@final
class StackObjective:
    """Adds the smooth prices to losses; those that have a prox are left to the update."""

    def __init__(self, techniques: Sequence[Techniques], network: nn.Module, model: Model) -> None:
        weights = {layer: network.get_submodule(layer).get_parameter("weight") for layer in model.layers()}

        def covered(some: Iterable[Together[L]]) -> list[tuple[Together[L], Tensor]]:
            return [(one, w) for one in some for layer, w in weights.items() if one.covers(layer)]

        self._smooth = covered(one for one in of_all(Penalty, techniques) if one.one.smooth)
        self._concave = covered(of_all(ConcavePenalty, techniques))
        self._anchored = covered(of_all(AnchoredPenalty, techniques))
        self._anchors = [w.detach().clone() for _, w in self._anchored]
        self._of_outputs = of_all(OutputPenalty, techniques)
        some = (self._smooth, self._concave, self._anchored)
        self._priced: list[Together[Any]] = [*self._of_outputs, *(one for own in some for one, _ in own)]

    def kept(
        self, places: Sequence[int], techniques: Sequence[Techniques], network: nn.Module, model: Model
    ) -> StackObjective:
        """Return that of the replicas at ``places``, which are those of ``network`` now."""
        rest = StackObjective(techniques, network, model)
        rest._anchors = [anchor[list(places)] for anchor in self._anchors]
        return rest

    def begin(self, epoch: int) -> None:
        """Begin an epoch, 0 is the first: what is renewed in it is anchored where the weights are."""
        for priced in self._priced:
            priced.begin()
        for anchor, (penalty, w) in zip(self._anchors, self._anchored, strict=True):
            if penalty.one.renews(epoch):
                anchor.copy_(w.detach())

    def __call__(self, losses: Tensor, outputs: Tensor) -> Tensor:
        """Return the sum over the replicas of ``losses`` (replicas,) and of all prices."""
        total = losses.sum()
        for priced in self._of_outputs:
            total = total + priced(lambda one, _, own: one.value(own), outputs).sum()
        for penalty, w in self._smooth:
            total = total + penalty(lambda one, _, own: one.value(own), w).sum()
        for concave, w in self._concave:
            total = total - concave(lambda one, _, own: one.relief(own), w).sum()
        for (anchored, w), anchor in zip(self._anchored, self._anchors, strict=True):
            total = total + anchored(lambda one, _, own, at: one.value(own, at), w, anchor).sum()
        return total

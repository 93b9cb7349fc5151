"""What happens to the weights of a stack in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, final

import torch

from studylib.regularizers.base import (
    ConcavePenalty,
    Constraint,
    CoupledDecay,
    Decay,
    GradientRule,
    Layered,
    Penalty,
)
from studylib.trainers._movers import Movers
from studylib.trainers._steps import LEFT
from studylib.trainers._together import Together, of_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from torch import Tensor, nn

    from studylib.models.base import Model
    from studylib.trainers.base import Training
    from studylib.trainers.techniques import Techniques

L = TypeVar("L", bound=Layered)


@final
class StackUpdate:
    """One step of all replicas: gradients, rules for them, decays, optimizers, proximal maps, projections."""

    def __init__(
        self,
        techniques: Sequence[Techniques],
        network: nn.Module,
        model: Model,
        trainings: Sequence[Training],
        steps: int,
    ) -> None:
        self._steps, self._done = steps, 0
        self._left = LEFT[trainings[0].learning_rate_schedule]
        self._rules = of_all(GradientRule, techniques, drawing=True)
        self._coupled, self._decays = of_all(CoupledDecay, techniques), of_all(Decay, techniques)
        penalties = [one for one in of_all(Penalty, techniques) if not one.one.smooth]
        self._proximal = sorted(penalties, key=lambda one: one.one.turn)
        self._constraints = sorted(of_all(Constraint, techniques), key=lambda one: one.one.turn)
        self._attach(network, model)
        self._movers = Movers(self._weights, trainings)

    def _attach(self, network: nn.Module, model: Model) -> None:
        self._weights: list[Tensor] = list(network.parameters())
        self._layers: dict[str, Tensor] = {
            layer: network.get_submodule(layer).get_parameter("weight") for layer in model.layers()
        }

    def keep(
        self, places: Sequence[int], network: nn.Module, model: Model, trainings: Sequence[Training]
    ) -> None:
        """Go on with the replicas at ``places``, which are those of ``network`` now."""
        self._attach(network, model)
        self._movers = self._movers.kept(places, self._weights, trainings)
        for name in ("_rules", "_coupled", "_decays", "_proximal", "_constraints"):
            setattr(self, name, [one.kept(places) for one in getattr(self, name)])

    def __call__(self, total: Tensor) -> None:
        """Move the weights one step down the gradient of ``total``, the sum over the replicas."""
        found = torch.autograd.grad(total, self._weights, allow_unused=True)
        self.along(
            [torch.zeros_like(w) if g is None else g for w, g in zip(self._weights, found, strict=True)]
        )

    def along(self, gradients: list[Tensor]) -> None:
        """Move the weights one step along their gradients, which are of the sum over the replicas."""
        left = self._left(self._done / self._steps)
        with torch.no_grad():
            for rule in self._rules:
                gradients = rule(self._ruled, gradients)
            for coupled, layer, w in self._over(self._coupled):
                place = next(place for place, one in enumerate(self._weights) if one is w)
                shares = _column([one.share(layer) for one in coupled.each], w)
                gradients[place] = gradients[place] + shares * w
            rates = self._movers.rates(left)
            for decay, layer, w in self._over(self._decays):
                factors = [one.factor(layer, rate) for one, rate in zip(decay.each, rates, strict=True)]
                w.mul_(_column(factors, w))
            self._movers.step(gradients, left)
            self._settle()
        self._done += 1

    def _ruled(self, rule: Any, draws: Any, *gradients: Any) -> Any:
        return rule.apply(*gradients, draws, self._done)

    def _settle(self) -> None:
        """Bring the weights where a prox or a constraint wants them after a step."""
        for penalty, _, w in self._over(self._proximal):
            w.copy_(penalty(_settled, w, self._movers.reach(w)))
        for constraint, _, w in self._over(self._constraints):
            w.copy_(constraint(lambda one, _, own: one.project(own), w))

    def _over(self, techniques: Iterable[Together[L]]) -> list[tuple[Together[L], str, Tensor]]:
        return [
            (one, layer, w) for one in techniques for layer, w in self._layers.items() if one.covers(layer)
        ]


def _settled(penalty: Any, draws: Any, w: Tensor, reach: Tensor) -> Tensor:
    del draws
    # the rest of a concave penalty is in the loss
    move = penalty.soften if isinstance(penalty, ConcavePenalty) else penalty.prox
    settled: Tensor = move(w, reach)
    return settled


def _column(numbers: Sequence[float], like: Tensor) -> Tensor:
    """Return a number per replica that multiplies its weights."""
    column = torch.tensor(numbers, dtype=like.dtype, device=like.device)
    return column.view(-1, *[1] * (like.ndim - 1))

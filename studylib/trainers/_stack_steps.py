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
    from studylib.trainers._draws import DrawsOfAll
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
        self._step = torch.zeros((), dtype=torch.long, device=self._weights[0].device)

    def _attach(self, network: nn.Module, model: Model) -> None:
        self._weights: list[Tensor] = list(network.parameters())
        self._layers: dict[str, Tensor] = {
            layer: network.get_submodule(layer).get_parameter("weight") for layer in model.layers()
        }
        self._shares = [(*one, Column()) for one in self._over(self._coupled)]
        self._factors = [(*one, Column()) for one in self._over(self._decays)]
        self._pulling, self._binding = self._over(self._proximal), self._over(self._constraints)

    def keep(
        self, places: Sequence[int], network: nn.Module, model: Model, trainings: Sequence[Training]
    ) -> None:
        """Go on with the replicas at ``places``, which are those of ``network`` now."""
        for name in ("_rules", "_coupled", "_decays", "_proximal", "_constraints"):
            setattr(self, name, [one.kept(places) for one in getattr(self, name)])
        self._attach(network, model)
        self._movers = self._movers.kept(places, self._weights, trainings)

    @property
    def _techniques(self) -> list[Together[Any]]:
        return [*self._rules, *self._coupled, *self._decays, *self._proximal, *self._constraints]

    @property
    def drawing(self) -> list[DrawsOfAll]:
        """The draws that gradients are changed by."""
        return [rule.draws for rule in self._rules]

    def begin(self) -> None:
        """Begin an epoch, in which each technique is as strong as it is now."""
        for technique in self._techniques:
            technique.begin()

    def prepare(self) -> None:
        """Put the numbers of the next step where it looks for them: learning rates, and what follows."""
        left = self._left(self._done / self._steps)
        self._movers.prepare(left)
        rates = self._movers.rates(left)
        for coupled, layer, _, shares in self._shares:
            shares.be([one.share(layer) for one in coupled.each])
        for decay, layer, _, factors in self._factors:
            factors.be([one.factor(layer, rate) for one, rate in zip(decay.each, rates, strict=True)])
        self._done += 1

    def __call__(self, total: Tensor) -> None:
        """Move the weights one step down the gradient of ``total``, the sum over the replicas."""
        found = torch.autograd.grad(total, self._weights, allow_unused=True)
        self.along(
            [torch.zeros_like(w) if g is None else g for w, g in zip(self._weights, found, strict=True)]
        )

    def along(self, gradients: list[Tensor]) -> None:
        """Move the weights one step along their gradients, which are of the sum over the replicas."""
        with torch.no_grad():
            for rule in self._rules:
                gradients = rule(self._ruled, gradients)
            for _, _, w, shares in self._shares:
                place = next(place for place, one in enumerate(self._weights) if one is w)
                gradients[place] = gradients[place] + shares.beside(w) * w
            for _, _, w, factors in self._factors:
                w.mul_(factors.beside(w))
            self._movers.step(gradients)
            self._settle()
            self._step.add_(1)

    def _ruled(self, rule: Any, draws: Any, *gradients: Any) -> Any:
        return rule.apply(*gradients, draws, self._step if self._step.is_cuda else self._done - 1)

    def _settle(self) -> None:
        """Bring the weights where a prox or a constraint wants them after a step."""
        for penalty, _, w in self._pulling:
            w.copy_(penalty(_settled, w, self._movers.reach(w)))
        for constraint, _, w in self._binding:
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


@final
class Column:
    """A number for each replica, kept at one place in memory, that multiplies its weights."""

    def __init__(self) -> None:
        self._numbers: list[float] = []
        self._column = torch.empty(0)

    def be(self, numbers: list[float]) -> None:
        """Be those numbers, from the next use on."""
        if numbers != self._numbers:
            self._numbers = numbers
            if len(self._column):
                self._column.copy_(torch.tensor(numbers, dtype=self._column.dtype))

    def beside(self, w: Tensor) -> Tensor:
        """Return the numbers, (replicas, 1, …), of the dtype and device of ``w``."""
        if not len(self._column):
            self._column = torch.tensor(self._numbers, dtype=w.dtype, device=w.device)
        return self._column.view(-1, *[1] * (w.ndim - 1))

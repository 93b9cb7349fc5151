"""What happens to the weights in one step of a gradient training."""

from __future__ import annotations

from math import cos, pi
from typing import TYPE_CHECKING, NamedTuple, TypeVar, final

import torch

from studylib.regularizers.base import (
    ConcavePenalty,
    CoupledDecay,
    Decay,
    GradientRule,
    Layered,
    LayerRates,
    Unfreezing,
)
from studylib.trainers._optimizers import optimizer
from studylib.trainers._rewiring import layer_of, sizing, weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn

    from studylib.models.base import Model
    from studylib.trainers._optimizers import Optimizer
    from studylib.trainers.base import Training
    from studylib.trainers.techniques import Techniques

L = TypeVar("L", bound=Layered)

# what is left of the learning rate when a share of all steps is past
LEFT: dict[str, Callable[[float], float]] = {
    "constant": lambda _: 1.0,
    "linear": lambda past: 1 - past,
    "cosine": lambda past: (1 + cos(pi * past)) / 2,
}


class _Group(NamedTuple):
    """Weights that have one learning rate, ``share`` times the common one, and are frozen together."""

    layers: frozenset[str]
    share: float
    weights: list[Tensor]
    optimizer: Optimizer


@final
class Update:
    """One step: gradient, rules for it, decays, optimizer, proximal maps, projections.

    The rules see the gradient of the whole objective; coupled decay is added to what they leave, as
    optimizers with a ``weight_decay`` of their own do it. Layers that are frozen take no part.
    """

    def __init__(
        self, techniques: Techniques, module: nn.Module, model: Model, training: Training, steps: int
    ) -> None:
        self._live = techniques.live
        self._training = training
        self._steps, self._done = steps, 0
        self._groups = _groups(techniques, module, model, training)
        self._group = {w: group for group in self._groups for w in group.weights}
        self._moving = self._groups
        self._frozen: frozenset[str] = frozenset()
        self._left = LEFT[training.learning_rate_schedule]
        self._rules = [(rule, techniques.noise(rule)) for rule in techniques.of(GradientRule)]
        self._coupled = [
            (one, layer, weights(module, layer)) for one, layer in _over(techniques.of(CoupledDecay), model)
        ]
        self._decays = [
            (one, layer, w)
            for one, layer in _over(techniques.of(Decay), model)
            for w in sizing(module, layer)
        ]
        self._proximal = [
            (one, layer, weights(module, layer)) for one, layer in _over(techniques.proximal, model)
        ]
        self._constraints = [
            (one, layer, weights(module, layer)) for one, layer in _over(techniques.constraints, model)
        ]

    def freeze(self, layers: frozenset[str]) -> None:
        """Let ``layers`` stay as they are, and all others move, from the next step on."""
        if layers == self._frozen:
            return
        self._frozen = layers
        self._moving = [group for group in self._groups if not group.layers <= layers]
        for group in self._groups:
            for w in group.weights:
                w.requires_grad_(not group.layers <= layers)

    @property
    def rate(self) -> float:
        """The learning rate of the next step, before any layer's share."""
        return self._training.learning_rate * self._left(self._done / self._steps)

    def __call__(self, loss: Tensor) -> None:
        """Move the weights one step down the gradient of ``loss``."""
        for group in self._moving:
            for w in group.weights:
                w.grad = None
        loss.backward()
        gradients = [_gradients(group.weights) for group in self._moving]
        if self._rules:
            gradients = self._ruled(gradients)
        rate = self.rate
        with torch.no_grad():
            if self._coupled:
                self._couple(gradients)
            if self._decays:
                self._shrink(rate)
            for group, own in zip(self._moving, gradients, strict=True):
                group.optimizer.step(own, group.share * rate)
            self._settle()
        self._done += 1

    def _ruled(self, gradients: list[list[Tensor]]) -> list[list[Tensor]]:
        every = [gradient for own in gradients for gradient in own]
        for rule, noise in self._rules:
            every = self._live(rule).apply(every, noise, self._done)
        rest = iter(every)
        return [[next(rest) for _ in own] for own in gradients]

    def _couple(self, gradients: list[list[Tensor]]) -> None:
        place = {w: (g, k) for g, group in enumerate(self._moving) for k, w in enumerate(group.weights)}
        for decay, layer, w in self._coupled:
            if w in place:
                group, number = place[w]
                gradients[group][number] = gradients[group][number] + self._live(decay).share(layer) * w

    def _shrink(self, rate: float) -> None:
        moving = [(decay, layer, w) for decay, layer, w in self._decays if layer not in self._frozen]
        factors = [self._live(decay).factor(layer, rate * self._group[w].share) for decay, layer, w in moving]
        torch._foreach_mul_([w for _, _, w in moving], factors)

    def _settle(self) -> None:
        """Bring the weights where a prox or a constraint wants them after a step."""
        # A prox with the bare learning rate has another fixed point than the objective's minimum
        # (Yun, Lozano and Yang 2021, https://arxiv.org/abs/2007.07484).
        for penalty, layer, w in self._proximal:
            if layer not in self._frozen:
                live, reach = self._live(penalty), self._group[w].optimizer.reach(w)
                # the rest of a concave penalty is in the loss
                w.copy_(live.soften(w, reach) if isinstance(live, ConcavePenalty) else live.prox(w, reach))
        for constraint, layer, w in self._constraints:
            if layer not in self._frozen:
                w.copy_(self._live(constraint).project(w))


def _over(techniques: list[L], model: Model) -> Iterator[tuple[L, str]]:
    return ((one, layer) for one in techniques for layer in model.layers() if one.covers(layer))


def _groups(techniques: Techniques, module: nn.Module, model: Model, training: Training) -> list[_Group]:
    """Return all weights of ``module`` in one group, or in one per layer where layers are treated apart."""
    rates = techniques.of(LayerRates)
    if not rates and not techniques.of(Unfreezing):
        every: list[Tensor] = list(module.parameters())
        return [_Group(frozenset(model.layers()), 1.0, every, optimizer(every, training))]
    layers = tuple(model.layers())
    owned: dict[str, list[Tensor]] = {}
    for name, w in module.named_parameters():
        owned.setdefault(layer_of(name, module, model), []).append(w)
    groups = []
    for layer, own in owned.items():
        share = 1.0
        for rate in rates:
            share *= rate.share(layer, layers) if rate.covers(layer) else 1.0
        groups.append(_Group(frozenset({layer}), share, own, optimizer(own, training)))
    return groups


def _gradients(weights: list[Tensor]) -> list[Tensor]:
    """Return the gradients; zeros for a weight that the loss does not depend on."""
    return [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]

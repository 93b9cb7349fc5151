"""The regularizers of an arm, sorted by the place where they touch training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar, final

from studylib.regularizers.base import (
    Constraint,
    Decay,
    InteractionPenalty,
    Layered,
    Penalty,
    Perturbation,
    Regularizer,
    Rewiring,
    Schedule,
)
from studylib.seeds import Noise

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studylib.models.base import Model

R = TypeVar("R", bound=Regularizer)


@final
class Techniques:
    """What a training asks of its regularizers: one attribute per kind, in the order of the arm.

    Perturbations that soften targets come last, so that what bends the inputs sees whole examples.
    """

    def __init__(self, regularizers: Iterable[Regularizer]) -> None:
        self._all = tuple(regularizers)
        penalties = self._of(Penalty)
        self.smooth = [p for p in penalties if p.smooth]
        self.proximal = [p for p in penalties if not p.smooth]
        self.interaction_penalties = self._of(InteractionPenalty)
        self.decays = self._of(Decay)
        self.constraints = self._of(Constraint)
        self.perturbations = sorted(self._of(Perturbation), key=lambda p: p.softens)
        self.rewirings = self._of(Rewiring)
        self.schedules = self._of(Schedule)

    def _of(self, kind: type[R]) -> list[R]:
        return [r for r in self._all if isinstance(r, kind)]

    @property
    def softens(self) -> bool:
        """Whether any of them turns class numbers into class probabilities."""
        return any(p.softens for p in self.perturbations)

    def rewire(self, module: nn.Module, seed: int, device: str) -> None:
        """Fill the open slots of ``module``; each technique draws from a stream of its own."""
        from studylib.models._slot import Slot

        slots = [part for part in module.modules() if isinstance(part, Slot)]
        dtype = next(module.parameters()).dtype
        for rewiring in self.rewirings:
            noise = _noise(rewiring, seed, device)
            for slot in slots:
                if slot.place in rewiring.places and rewiring.covers(slot.layer):
                    slot.append(rewiring.module(slot.width, noise).to(device, dtype))

    def disturbance(self, seed: int, device: str) -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Return the function that disturbs a batch by all perturbations in turn."""
        steps = [(p.perturb, _noise(p, seed, device)) for p in self.perturbations]

        def disturb(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
            for perturb, noise in steps:
                x, target = perturb(x, target, noise)
            return x, target

        return disturb

    def objective(self, module: nn.Module, model: Model) -> Callable[[Tensor], Tensor]:
        """Return the function that adds the smooth penalties, of the weights as they are, to a loss."""
        terms = [(p.value, w) for p in self.smooth for w in self.cover(p, module, model)]

        def objective(loss: Tensor) -> Tensor:
            for value, w in terms:
                loss = loss + value(w)
            return loss

        return objective

    @staticmethod
    def cover(layered: Layered, module: nn.Module, model: Model) -> list[Tensor]:
        """Return the weights that a regularizer covers; biases and norm parameters never are."""
        return [module.get_parameter(f"{layer}.weight") for layer in model.layers() if layered.covers(layer)]


def _noise(technique: Regularizer, seed: int, device: str) -> Noise:
    return Noise(seed, f"noise/{technique.name}", device)

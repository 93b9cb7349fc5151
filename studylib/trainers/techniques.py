"""The regularizers of an arm, by the place where they touch training, as strong as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar, final

from studylib.regularizers.base import Penalty, Perturbation, Regularizer, StrengthSchedule
from studylib.seeds import Noise
from studylib.trainers._rewiring import noisy

if TYPE_CHECKING:
    from torch import nn

R = TypeVar("R", bound=Regularizer)


@final
class Techniques:
    """What a training asks of its regularizers: one attribute per kind, in the order of their names.

    A schedule turns their strengths: what is asked for by ``live`` is as strong as it is in this epoch.
    """

    def __init__(self, regularizers: Iterable[Regularizer], seed: int, device: str) -> None:
        self._all = tuple(sorted(regularizers, key=lambda one: one.name))
        self._live = {one.name: one for one in self._all}
        self.seed, self.device = seed, device

    def of(self, kind: type[R]) -> list[R]:
        """Return those of a kind."""
        return [one for one in self._all if isinstance(one, kind)]

    def live(self, technique: R) -> R:
        """Return ``technique`` as strong as it is now."""
        return self._live[technique.name]  # type: ignore[return-value]  # it is a copy of the same class

    def noise(self, technique: Regularizer) -> Noise:
        """Return the stream of ``technique``; whoever asks twice gets the same draws twice."""
        return Noise(self.seed, f"noise/{technique.name}", self.device)

    @property
    def smooth(self) -> list[Penalty]:
        """Those penalties that are followed by their gradient."""
        return [penalty for penalty in self.of(Penalty) if penalty.smooth]

    @property
    def proximal(self) -> list[Penalty]:
        """Those penalties that are followed by their prox."""
        return [penalty for penalty in self.of(Penalty) if not penalty.smooth]

    @property
    def softens(self) -> bool:
        """Whether any of them turns class numbers into class probabilities."""
        return any(p.softens for p in self.of(Perturbation))

    def turn(
        self,
        epoch: int,
        epochs: int,
        losses: tuple[Sequence[float], Sequence[float]],
        module: nn.Module,
    ) -> None:
        """Give all techniques, and their modules in ``module``, the strength that they have in ``epoch``.

        Args:
            epoch: 0 is the first.
            epochs: how many there are to be.
            losses: of train and of validation rows, in the epochs before.
            module: the network.
        """
        schedules = self.of(StrengthSchedule)
        if not schedules:
            return
        for technique in self._all:
            if technique.dial():
                factor = 1.0
                for schedule in schedules:
                    if fnmatchcase(technique.name, schedule.technique):
                        factor *= schedule.factor(epoch, epochs, *losses)
                self._live[technique.name] = technique.turned(factor)
        for part in noisy(module):
            part.technique = self._live[part.technique.name]

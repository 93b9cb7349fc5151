"""The regularizers of an arm, by the place where they touch training, as strong as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar, final

from studylib.components import build
from studylib.errors import ParameterError, StudyError
from studylib.regularizers._modules import Noisy
from studylib.regularizers.base import Constraint, Penalty, Perturbation, Regularizer, StrengthSchedule
from studylib.seeds import Noise

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
        """Those penalties that are followed by their prox, in the order that gives that of their sum."""
        return sorted((one for one in self.of(Penalty) if not one.smooth), key=lambda one: one.turn)

    @property
    def constraints(self) -> list[Constraint]:
        """The constraints, in the order in which they are met."""
        return sorted(self.of(Constraint), key=lambda one: one.turn)

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
                self._live[technique.name] = _turned(technique, factor)
        for part in noisy(module):
            part.technique = self._live[part.technique.name]


def noisy(module: nn.Module) -> Iterator[Noisy]:
    """Give the parts of ``module`` that draw noise in training."""
    return (part for part in module.modules() if isinstance(part, Noisy))


def _turned(technique: R, factor: float) -> R:
    """Return ``technique`` with ``factor`` times its strength.

    Raises:
        StudyError: the strength leaves the range of the setting.
    """
    turned = technique.turned(factor)
    try:
        build(type(turned), turned.model_dump(), turned.name)
    except ParameterError as error:
        raise StudyError(
            f"{error} It is {getattr(technique, technique.dial()):g} × {factor:g}, as a schedule of this arm"
            " asks for. Lower one of the two."
        ) from None
    return turned

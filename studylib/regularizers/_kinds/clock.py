"""Rules over the clock of a training, as pure functions of its history."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from studylib.regularizers._kinds.common import Regularizer

if TYPE_CHECKING:
    from collections.abc import Sequence


class Schedule(Regularizer):
    """A rule over the clock of a training, as pure functions of the history so far."""

    kind: ClassVar[str] = "schedule"


class Stopping(Schedule):
    """When training ends, and which weights are kept."""

    @abstractmethod
    def best(self, losses: Sequence[float]) -> int:
        """Return the index of the epoch whose weights are to be kept."""

    @abstractmethod
    def stop(self, losses: Sequence[float]) -> bool:
        """Tell whether training ends after these validation losses (without penalty, one per epoch)."""


class StrengthSchedule(Schedule):
    """How strong other techniques of the arm are, epoch by epoch.

    The settings of the schedule name them by a shell pattern, ``technique``.
    """

    technique: Annotated[str, Field(description="shell pattern over the names of techniques of the arm")]

    @abstractmethod
    def factor(
        self, epoch: int, epochs: int, train_loss: Sequence[float], validation_loss: Sequence[float]
    ) -> float:
        """Return what their strength is multiplied by during ``epoch`` (0 is the first) of ``epochs``.

        The losses are those of the epochs before, without any penalty.
        """


class Unfreezing(Schedule):
    """Which layers do not learn yet."""

    alone: ClassVar[str] = "it treats the layers of one network apart"

    @abstractmethod
    def frozen(self, layers: Sequence[str], epoch: int) -> frozenset[str]:
        """Return those of ``layers``, from input to output, that do not learn in ``epoch``, from 0."""


class Averaging(Schedule):
    """Weights that are averaged over training, and take the place of the last ones at its end."""

    @abstractmethod
    def share(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """Return the share of the weights after ``step`` (1 is the first) in the new average.

        0 leaves the average as it was, 1 begins it anew.
        """

"""What the schedules of an arm will make of strengths, as far as it is known before training."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from math import inf

from studylib.regularizers.base import Regularizer, StrengthSchedule

LOOKED_AT = 100  # epochs from the first, beside the last: schedules settle, and a look at each costs time
NEVER = 10**9


def strongest(technique: Regularizer, arm: Sequence[Regularizer], epochs: int) -> float:
    """Return the largest number that the strength of ``technique`` is multiplied by in any epoch.

    Where that depends on losses, they are such that it is largest.
    """
    schedules = [one for one in arm if isinstance(one, StrengthSchedule)]
    turning = [one for one in schedules if fnmatchcase(technique.name, one.technique)]
    if not turning or not technique.dial():
        return 1.0
    return max(_product(turning, epoch, epochs) for epoch in _some(epochs))


def idle(schedule: StrengthSchedule, epochs: int) -> str:
    """Return why ``schedule`` begins or ends too late for so many epochs to show it; empty if it does not."""
    factors = {
        schedule.factor(epoch, epochs, *losses) for epoch in _some(epochs) for losses in _histories(epoch)
    }
    if len(factors) > 1 or factors == {schedule.factor(NEVER, epochs, [], [])}:
        return ""
    done = {0.0: "switches off what it turns", 1.0: "leaves what it turns as it is"}.get(factors.pop(), "")
    return done and f"{done} in all epochs of training, {epochs}. Lower its epochs, or raise training.epochs."


def _product(schedules: Sequence[StrengthSchedule], epoch: int, epochs: int) -> float:
    product = 1.0
    for schedule in schedules:
        product *= max(schedule.factor(epoch, epochs, *losses) for losses in _histories(epoch))
    return product


def _some(epochs: int) -> list[int]:
    return sorted({*range(min(epochs, LOOKED_AT)), epochs - 1})


def _histories(epoch: int) -> list[tuple[list[float], list[float]]]:
    """Return losses of train and validation rows that lie as far apart as can be, on either side."""
    least, most = [0.0] * epoch, [inf] * epoch
    return [(least, most), (most, least)]

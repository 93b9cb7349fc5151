"""Which fits are trained as one network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from studylib.regularizers.base import GradientRule

if TYPE_CHECKING:
    from studylib.datasets.base import Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers.base import Training

TWINS = 2  # a stack of networks is no narrower
SHRINKING = 0.75  # share of the replicas that still learn, from which on the others are left out


@final
@dataclass(frozen=True)
class Member:
    """A fit of a stack.

    In one stack all have techniques that differ in their strengths alone, and trainings that differ in the
    learning rate alone.
    """

    split: Split
    regularizers: tuple[Regularizer, ...]
    training: Training
    seed: int


def why_alone(model: Model, regularizers: Iterable[Regularizer], device: str, side: int = 0) -> str:
    """Return why a fit is trained by itself; empty if it is one of a stack, be it the only one.

    It depends on nothing but the fit: what comes out for one must not depend on the others.

    Args:
        model: what is trained.
        regularizers: how.
        device: "cpu" or "cuda".
        side: of the images that are learnt from, in pixels; 0 for other inputs.
    """
    if device not in model.stacked:
        return f"{model.name} gains nothing from it on {device}"
    if side > model.small.get(device, side):
        return f"{model.name} gains nothing from it on {device} where images have {side}×{side} pixels"
    return next(
        (f"{one.name}: {why}" for one in regularizers if (why := one.alone or _uneven(one, model))), ""
    )


def _uneven(technique: Regularizer, model: Model) -> str:
    """Return why it would not be what it is alone: tables of words are joined at one size, with rows more."""
    if "text" not in model.inputs:
        return ""
    if technique.counts:
        return "it counts the words"
    draws = isinstance(technique, GradientRule) and technique.draws
    return "it draws a number for every word" if draws else ""

"""What two techniques of one arm may not do to the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from studylib.regularizers.base import (
    Averaging,
    Constraint,
    CoupledDecay,
    Decay,
    Dropping,
    Layered,
    LayerRates,
    LayerRewiring,
    Penalty,
    Regularizer,
    Sampling,
    Stopping,
    StrengthSchedule,
    Unfreezing,
)

if TYPE_CHECKING:
    from studylib.models.base import Model


def clash(technique: Regularizer, arm: Sequence[Regularizer], model: Model) -> str:
    """Return why ``technique`` cannot be in this ``arm``; empty if it can."""
    if isinstance(technique, StrengthSchedule):
        return _nothing_to_turn(technique, arm)
    if isinstance(technique, LayerRates | Unfreezing) and len(model.layers()) == 1:
        return f"treats layers apart, and {model.name} has one: {', '.join(model.layers())}."
    if isinstance(technique, Averaging):
        return _two_ways_to_choose(technique, arm)
    if isinstance(technique, Sampling) and not any(map(_draws, arm)):
        return "averages over what dropping leaves, and nothing in this arm drops anything. Add dropout."
    if isinstance(technique, Layered):
        for other in arm:
            if isinstance(other, LayerRewiring) and other is not technique:
                if reason := _on_remade(technique, other, model):
                    return reason
    return ""


def _nothing_to_turn(schedule: StrengthSchedule, arm: Sequence[Regularizer]) -> str:
    named = [one for one in arm if fnmatchcase(one.name, schedule.technique)]
    if any(one.dial() for one in named):
        return ""
    names = ", ".join(one.name for one in arm if one.dial()) or "none"
    return f"no technique with a strength matches {schedule.technique!r}. In this arm: {names}."


def _two_ways_to_choose(averaging: Averaging, arm: Sequence[Regularizer]) -> str:
    for other in arm:
        if isinstance(other, Stopping):
            return f"keeps the weights of many epochs, and {other.name} those of one. Leave one of them out."
        if isinstance(other, Averaging) and other is not averaging:
            return f"averages the weights, and {other.name} does too. Leave one of them out."
    return ""


def _on_remade(technique: Layered, remaking: LayerRewiring, model: Model) -> str:
    """Return why ``technique`` cannot act on what ``remaking`` has made of a layer."""
    shared = [
        layer
        for layer, kind in model.layers().items()
        if kind in remaking.fits and remaking.covers(layer) and technique.covers(layer)
    ]
    if not shared or remaking.weight == "input":
        return ""
    where = f"on {shared[0]!r}"
    if isinstance(technique, LayerRewiring):
        if technique.weight == "input" or not any(
            model.layers()[layer] in technique.fits for layer in shared
        ):
            return ""
        return (
            f"makes the weight of a layer, and {where} {remaking.name} does too. Give them different layers."
        )
    if remaking.weight == "parameter":
        return ""
    if isinstance(technique, Penalty) and not technique.smooth:
        return f"sets weights to where its prox wants them, and {where} {remaking.name} makes them of others."
    if isinstance(technique, Constraint | CoupledDecay):
        return f"acts on a weight itself, and {where} {remaking.name} makes it of other parameters."
    if isinstance(technique, Decay) and remaking.weight == "normed":
        return f"shrinks a weight, and {where} {remaking.name} gives it the same size whatever it was."
    return ""


def _draws(technique: Regularizer) -> bool:
    return isinstance(technique, Dropping) or (isinstance(technique, LayerRewiring) and technique.draws)

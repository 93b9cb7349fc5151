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
    if isinstance(technique, Averaging):
        return _two_ways_to_choose(technique, arm)
    if isinstance(technique, Sampling) and not any(map(_draws, arm)):
        return "averages over what dropping leaves, and nothing in this arm drops anything. Add dropout."
    if isinstance(technique, LayerRates | Unfreezing) and len(model.layers()) == 1:
        return f"treats layers apart, and {model.name} has one: {', '.join(model.layers())}."
    return _on_one_weight(technique, arm, model) if isinstance(technique, Layered) else ""


def _on_one_weight(technique: Layered, arm: Sequence[Regularizer], model: Model) -> str:
    others = [one for one in arm if isinstance(one, Layered) and one is not technique]
    shared = [one for one in others if any(technique.covers(n) and one.covers(n) for n in model.layers())]
    remaking = (one for one in shared if isinstance(one, LayerRewiring))
    reasons = (_on_remade(technique, one, model) for one in remaking)
    return next(filter(None, (*reasons, *(_same_turn(technique, one) for one in shared))), "")


def _same_turn(technique: Layered, other: Layered) -> str:
    """Return why two constraints, or two penalties with a prox, cannot act on the same weights."""
    if isinstance(technique, Constraint) and isinstance(other, Constraint) and technique.turn == other.turn:
        return f"decides how long a unit's weights are, and {other.name} does too. Leave one of them out."
    if isinstance(technique, Penalty) and isinstance(other, Penalty) and technique.turn == other.turn == 1:
        return f"has no prox together with {other.name}. Give them different layers, or take l1 and l2 apart."
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
    kinds = technique.fits if isinstance(technique, LayerRewiring) else remaking.fits
    shared = [
        layer
        for layer, kind in model.layers().items()
        if kind in remaking.fits & kinds and remaking.covers(layer) and technique.covers(layer)
    ]
    reason = _why_not(technique, remaking) if shared else ""
    return reason and f"{reason}, and so does {remaking.name} on {shared[0]!r}. Give them different layers."


def _why_not(technique: Layered, remaking: LayerRewiring) -> str:
    if isinstance(technique, LayerRewiring):
        return "" if "input" in {remaking.weight, technique.weight} else "makes the weight of a layer"
    if remaking.weight in {"input", "parameter"}:
        return ""
    if isinstance(technique, Constraint | CoupledDecay):
        return "sets a weight itself"
    if isinstance(technique, Penalty) and not technique.smooth:
        return "sets a weight to where its prox wants it"
    normed = isinstance(technique, Decay) and remaking.weight == "normed"
    return "decides how large a weight is" if normed else ""


def _draws(technique: Regularizer) -> bool:
    return isinstance(technique, Dropping) or (isinstance(technique, LayerRewiring) and technique.draws)

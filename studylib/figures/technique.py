"""What one technique does, computed by itself: a drawing for each kind of regularization."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from studylib.errors import StudyError
from studylib.figures import _activations, _batches, _clock, _fits, _layers, _penalties, _sentences, _weights
from studylib.figures.style import styled
from studylib.regularizers import base

if TYPE_CHECKING:
    from studylib.figures.picture import Picture

KINDS: Mapping[type[base.Regularizer], Callable[[Any], Picture]] = {
    base.Penalty: _penalties.penalty,
    base.AnchoredPenalty: _penalties.anchored_penalty,
    base.OutputPenalty: _penalties.output_penalty,
    base.ActivationPenalty: _penalties.activation_penalty,
    base.InteractionPenalty: _penalties.interaction_penalty,
    base.Decay: _weights.decay,
    base.CoupledDecay: _weights.coupled_decay,
    base.LayerRates: _weights.layer_rates,
    base.Constraint: _weights.constraint,
    base.GradientRule: _weights.gradient_rule,
    base.Perturbation: _batches.perturbation,
    base.LexicalPerturbation: _sentences.lexical,
    base.Paraphrasing: _sentences.paraphrased,
    base.Attack: _batches.attack,
    base.Corruption: _batches.corruption,
    base.Rewiring: _activations.rewiring,
    base.Dropping: _activations.dropping,
    base.LayerRewiring: _layers.layer_rewiring,
    base.Stopping: _clock.stopping,
    base.StrengthSchedule: _clock.strength_schedule,
    base.Unfreezing: _clock.unfreezing,
    base.Averaging: _clock.averaging,
    base.Calibration: _fits.calibration,
    base.Sampling: _fits.sampling,
}


@styled
def draw_technique(technique: base.Regularizer) -> Picture:
    """Draw what ``technique`` does at its settings, by the nearest kind that has a drawing.

    Raises:
        StudyError: its kind has none.
    """
    for kind in type(technique).__mro__:
        if kind in KINDS:
            return KINDS[kind](technique)
    known = ", ".join(kind.__name__ for kind in KINDS)
    raise StudyError(
        f"{technique.name}: no picture can be drawn of it, for its kind has no drawing. Kinds that have one:"
        f" {known}. Add one to studylib/figures/technique.py."
    )

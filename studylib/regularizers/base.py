"""The few kinds of regularization: each says where it touches training, and does one job there.

A concrete regularizer is one file: a final frozen class, its formula, its source, an ``EXAMPLE``.
Methods are pure functions of tensors, which keep working under ``torch.func.vmap``; their randomness comes
from the ``noise`` that they are given. Importing a file here must not import torch: parameters are checked
without it.
"""

from __future__ import annotations

from studylib.regularizers._kinds.batch import (
    Attack,
    Corruption,
    LexicalPerturbation,
    Paraphrasing,
    Perturbation,
)
from studylib.regularizers._kinds.clock import Averaging, Schedule, Stopping, StrengthSchedule, Unfreezing
from studylib.regularizers._kinds.common import (
    ALL_TASKS,
    SUPERVISED,
    ByLayer,
    Layered,
    Layers,
    Rate,
    Regularizer,
    Strength,
    strength_of,
)
from studylib.regularizers._kinds.loss import (
    ActivationPenalty,
    AnchoredPenalty,
    ConcavePenalty,
    InteractionPenalty,
    OutputPenalty,
    Penalty,
    Rows,
    soft_threshold,
)
from studylib.regularizers._kinds.model import Dropping, LayerRewiring, Rewiring
from studylib.regularizers._kinds.prediction import Calibration, Prediction, Sampling
from studylib.regularizers._kinds.site import Site
from studylib.regularizers._kinds.weights import Constraint, CoupledDecay, Decay, GradientRule, LayerRates

__all__ = [
    "ALL_TASKS",
    "SUPERVISED",
    "ActivationPenalty",
    "AnchoredPenalty",
    "Attack",
    "Averaging",
    "ByLayer",
    "Calibration",
    "ConcavePenalty",
    "Constraint",
    "Corruption",
    "CoupledDecay",
    "Decay",
    "Dropping",
    "GradientRule",
    "InteractionPenalty",
    "LayerRates",
    "LayerRewiring",
    "Layered",
    "Layers",
    "LexicalPerturbation",
    "OutputPenalty",
    "Paraphrasing",
    "Penalty",
    "Perturbation",
    "Prediction",
    "Rate",
    "Regularizer",
    "Rewiring",
    "Rows",
    "Sampling",
    "Schedule",
    "Site",
    "Stopping",
    "Strength",
    "StrengthSchedule",
    "Unfreezing",
    "soft_threshold",
    "strength_of",
]

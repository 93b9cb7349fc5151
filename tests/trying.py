"""Settings that are tried in this process, one fit after the other: what a study does with many workers."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from statistics import fmean
from typing import TYPE_CHECKING

from studylib.arms import Arm
from studylib.errors import Divergence
from studylib.trainers.candidates import Settings, as_number, open_settings
from studylib.trainers.fitting import fit
from studylib.trainers.proposals import Tried, best, proposals
from studylib.trainers.tuning import Tuning, fitted

if TYPE_CHECKING:
    from studylib.datasets.base import Dataset
    from studylib.models.base import Model
    from studylib.trainers.base import Outcome, Training


def tried(
    dataset: Dataset,
    model: Model,
    settings: Settings,
    training: Training,
    tuning: Tuning | None = None,
    seed: int = 1,
) -> tuple[Outcome, list[Tried]]:
    """Return the fit of what was chosen, and all that was tried."""
    tuning = tuning or Tuning()
    space = fitted({".".join(key): own for key, own in open_settings(settings).items()}, tuning, "")
    arm = Arm(name="", regularizers=settings, model=model, training=training, space=space)
    folds = [{}] if tuning.folds == "none" else [{"of": tuning.folds, "held": k} for k in range(tuning.folds)]
    history: list[Tried] = []
    last = Divergence("")
    while points := proposals(space, tuning, seed, history):
        for point in points:
            at = arm.at(point)
            try:
                scores = [fit(dataset, model, at.regularizers, training, seed, "cpu", f).score for f in folds]
            except Divergence as error:
                last, scores = error, [inf]
            history.append(Tried(point, fmean(scores)))
    place = best(history)
    if place is None:
        raise last
    taken = history[place].settings
    outcome = fit(dataset, model, arm.at(taken).regularizers, training, seed, "cpu")
    told = {f"chosen_{name.replace('.', '_')}": as_number(own, space[name]) for name, own in taken.items()}
    return replace(outcome, metrics={**outcome.metrics, **told}), history

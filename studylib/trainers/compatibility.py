"""What does not fit together, refused before any training, with the reason."""

from __future__ import annotations

from collections.abc import Iterable

from studylib import models
from studylib.datasets.base import Dataset
from studylib.errors import ParameterError
from studylib.models.base import Model
from studylib.regularizers.base import Decay, Layered, Perturbation, Regularizer, Rewiring
from studylib.trainers.base import Training

EXACT = frozenset({"l1", "l2", "elastic_net"})
PLACES = {
    "normalisation": "layers that can be normalised",
    "units": "hidden units",
    "maps": "feature maps",
    "embedding": "word vectors",
    "factors": "factors",
}


def refuse_misfits(
    dataset: Dataset, model: Model, regularizers: Iterable[Regularizer], training: Training, where: str
) -> None:
    """Raise unless the regularizers can do their work on this model, dataset and trainer.

    Raises:
        ParameterError: what does not fit, why, and what would.
    """
    if dataset.inputs not in model.inputs:
        fitting = [name for name in models.CATALOGUE if dataset.inputs in models.CATALOGUE[name].inputs]
        raise ParameterError(
            f"{where}: the model {model.name} does not take {dataset.inputs}, which {dataset.name} holds. "
            f"Models that do: {', '.join(fitting)}."
        )
    if training.optimizer == "exact":
        _refuse_inexact(dataset, model, where)
    for regularizer in regularizers:
        reason = _misfit(regularizer, dataset, model, training)
        if reason:
            raise ParameterError(f"{where}.{regularizer.name}: {reason}")
        if isinstance(regularizer, Decay):
            _refuse_overshoot(regularizer, training, where)


def _refuse_inexact(dataset: Dataset, model: Model, where: str) -> None:
    if model.name != "linear" or dataset.inputs != "tables":
        raise ParameterError(
            f"{where}: training.optimizer 'exact' solves the linear model on tables, not {model.name} on "
            f"{dataset.inputs}. Use 'adamw' or 'sgd'."
        )
    if len(dataset.classes()) > 2:
        raise ParameterError(
            f"{where}: training.optimizer 'exact' handles regression and two classes, and {dataset.name} has "
            f"{len(dataset.classes())}. Use 'adamw' or 'sgd'."
        )


def _refuse_overshoot(decay: Decay, training: Training, where: str) -> None:
    try:
        decay.factor(training.learning_rate)
    except ParameterError as error:
        raise ParameterError(f"{where}.{error}") from None


def _misfit(regularizer: Regularizer, dataset: Dataset, model: Model, training: Training) -> str:
    """Return why the regularizer cannot work here; empty if it can."""
    if dataset.task not in regularizer.tasks:
        return f"works for {_listed(regularizer.tasks)}; {dataset.name} is a {dataset.task} dataset."
    if training.optimizer == "exact" and regularizer.name not in EXACT:
        return "training.optimizer 'exact' takes l1, l2 and elastic_net only. Use 'adamw' or 'sgd'."
    if isinstance(regularizer, Perturbation) and dataset.inputs not in regularizer.inputs:
        return f"disturbs {_listed(regularizer.inputs)}; {dataset.name} holds {dataset.inputs}."
    if isinstance(regularizer, Rewiring):
        return _no_slot(regularizer, dataset, model)
    if isinstance(regularizer, Layered) and not any(map(regularizer.covers, model.layers())):
        return f"no layer of {model.name} matches {regularizer.layers!r}: {', '.join(model.layers())}."
    return ""


def _no_slot(rewiring: Rewiring, dataset: Dataset, model: Model) -> str:
    fitting = [layer for layer, place in model.slots() if place in rewiring.places]
    if not fitting:
        wanted = " or ".join(PLACES[place] for place in sorted(rewiring.places))
        others = ", ".join(_with_places(rewiring.places, dataset.inputs)) or "none"
        return (
            f"needs {wanted}, and the model {model.name} has none. "
            f"Models for {dataset.inputs} that have them: {others}."
        )
    if not any(map(rewiring.covers, fitting)):
        return f"none of the layers that it fits matches {rewiring.layers!r}: {', '.join(fitting)}."
    return ""


def _with_places(places: Iterable[str], inputs: str) -> list[str]:
    examples = map(models.CATALOGUE.example, models.CATALOGUE)
    taking = [model for model in examples if inputs in model.inputs]
    return [model.name for model in taking if any(place in places for _, place in model.slots())]


def _listed(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))

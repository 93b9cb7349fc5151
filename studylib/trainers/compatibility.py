"""What does not fit together, refused before any training, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from studylib import models
from studylib.components import build
from studylib.datasets.base import Dataset
from studylib.errors import ParameterError
from studylib.models.base import Model
from studylib.regularizers import _wordnet
from studylib.regularizers.base import (
    ActivationPenalty,
    Attack,
    Decay,
    Layered,
    LayerRewiring,
    LexicalPerturbation,
    Paraphrasing,
    Perturbation,
    Regularizer,
    Rewiring,
    StrengthSchedule,
)
from studylib.trainers._pairs import clash
from studylib.trainers._turns import idle, strongest
from studylib.trainers.base import Training

EXACT = frozenset({"l1", "l2", "elastic_net"})  # what an exact linear model takes
EXACT_FACTORS = frozenset({"embedding_l2", "l2", "early_stopping"})  # and an exact factorization
PLACES = {
    "normalisation": "layers that can be normalised",
    "units": "hidden units",
    "maps": "feature maps",
    "embedding": "word vectors",
    "factors": "factors",
    "sequence": "hidden states over time",
    "state": "a recurrent state",
    "attention": "attention weights",
    "branch": "residual connections",
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
    if training.precision == "bf16" and (training.optimizer == "exact" or dataset.inputs == "interactions"):
        raise ParameterError(
            f"{where}: training.precision 'bf16' is for networks that are trained step by step, not for"
            f" {model.name} on {dataset.inputs} by {training.optimizer!r}. Use 'float32'."
        )
    arm = tuple(regularizers)
    for regularizer in arm:
        reason = _misfit(regularizer, dataset, model, training) or clash(regularizer, arm, model)
        if reason:
            raise ParameterError(f"{where}.{regularizer.name}: {reason}")
        refuse_missing(regularizer, where)
        turned = _turned(regularizer, strongest(regularizer, arm, training.epochs), where)
        if isinstance(turned, Decay):
            _refuse_overshoot(turned, model, training, where)


def refuse_missing(regularizer: Regularizer, where: str) -> None:
    """Raise unless what the regularizer reads from files is there.

    Raises:
        ParameterError: what is missing, and how to get it.
    """
    place = f"{where}."
    try:
        if isinstance(regularizer, LexicalPerturbation):
            place = f"{where}.{regularizer.name}: "  # the files are of several techniques
            _wordnet.refuse_missing()
        if isinstance(regularizer, Paraphrasing):
            regularizer.refuse_missing()
    except ParameterError as error:
        raise ParameterError(f"{place}{error}") from None


def _refuse_inexact(dataset: Dataset, model: Model, where: str) -> None:
    if dataset.inputs == "interactions":
        return
    if model.name != "linear" or dataset.inputs != "tables":
        raise ParameterError(
            f"{where}: training.optimizer 'exact' solves the linear model on tables, not {model.name} on "
            f"{dataset.inputs}. Use 'adamw' or 'sgd'."
        )


def _turned(regularizer: Regularizer, factor: float, where: str) -> Regularizer:
    """Return the regularizer as strong as schedules of its arm make it at most.

    Raises:
        ParameterError: it cannot be that strong.
    """
    if factor <= 1:
        return regularizer
    turned = regularizer.turned(factor)
    try:
        build(type(turned), turned.model_dump(), f"{where}.{turned.name}")
    except ParameterError as error:
        own = getattr(regularizer, regularizer.dial())
        told = f"It is {own:g} × {factor:g}, as a schedule of this arm asks for. Lower one of the two."
        raise ParameterError(f"{error} {told}") from None
    return turned


def _refuse_overshoot(decay: Decay, model: Model, training: Training, where: str) -> None:
    try:
        for layer in filter(decay.covers, model.layers()):
            decay.factor(layer, training.learning_rate)
    except ParameterError as error:
        raise ParameterError(f"{where}.{error}") from None


def _misfit(regularizer: Regularizer, dataset: Dataset, model: Model, training: Training) -> str:
    """Return why the regularizer cannot work here; empty if it can."""
    if dataset.task not in regularizer.tasks:
        return f"works for {_listed(regularizer.tasks)}; {dataset.name} is a {dataset.task} dataset."
    taken = EXACT_FACTORS if dataset.inputs == "interactions" else EXACT
    if training.optimizer == "exact" and regularizer.name not in taken:
        named = "l1, l2 and elastic_net" if taken == EXACT else "embedding_l2, l2 and early_stopping"
        return f"training.optimizer 'exact' takes {named} only. Use 'adamw' or 'sgd'."
    if dataset.task == "ranking" and getattr(regularizer, "biases", None) is not None:
        return f"biases is of a rating; in a ranking they are free. Leave {regularizer.name}.biases out."
    # by name: an import would make the code of every fit depend on that of the elastic net
    rescaled = {"name": "elastic_net", "form": "rescaled"}.items() <= regularizer.named_settings().items()
    if rescaled and (training.optimizer, dataset.task) != ("exact", "regression"):
        return "form 'rescaled' is of a regression that training.optimizer 'exact' solves. Use 'naive'."
    if isinstance(regularizer, StrengthSchedule):
        return idle(regularizer, training.epochs)
    return (
        _other_inputs(regularizer, dataset)
        or _no_place(regularizer, dataset, model)
        or _alone(regularizer, model, training)
    )


def _alone(regularizer: Regularizer, model: Model, training: Training) -> str:
    if not regularizer.pairs or training.batch_size > 1:
        return ""
    kinds = model.layers()
    places = [
        layer
        for layer, place in model.slots()
        if isinstance(regularizer, Rewiring) and place in regularizer.places and regularizer.covers(layer)
    ]
    # in a feature map there are other places beside each, of the same row
    if places and all(kinds[layer] == "convolution" for layer in places):
        return ""
    return "needs several rows in a batch, and training.batch_size is 1. Choose at least 2."


def _other_inputs(regularizer: Regularizer, dataset: Dataset) -> str:
    if isinstance(regularizer, Perturbation | Attack) and dataset.inputs not in regularizer.inputs:
        return f"disturbs {_listed(regularizer.inputs)}; {dataset.name} holds {dataset.inputs}."
    if isinstance(regularizer, LexicalPerturbation | Paraphrasing) and dataset.inputs != "text":
        return f"disturbs text; {dataset.name} holds {dataset.inputs}."
    return ""


def _no_place(regularizer: Regularizer, dataset: Dataset, model: Model) -> str:
    if isinstance(regularizer, ActivationPenalty) and not model.traced:
        traced = [name for name in models.CATALOGUE if models.CATALOGUE[name].traced]
        return f"needs hidden states over time, and {model.name} has none. Models with: {', '.join(traced)}."
    if isinstance(regularizer, Rewiring):
        return _no_slot(regularizer, dataset, model)
    if isinstance(regularizer, LayerRewiring):
        return _no_layer(regularizer, dataset, model)
    return _no_layer_of(regularizer, model) if isinstance(regularizer, Layered) else ""


def _no_layer_of(layered: Layered, model: Model) -> str:
    covered = [layer for layer in model.layers() if layered.covers(layer)]
    if not covered:
        return f"no layer of {model.name} matches {layered.layers!r}: {', '.join(model.layers())}."
    by_layer: Mapping[str, float] = getattr(layered, "by_layer", {})
    for pattern in by_layer:
        if not any(fnmatchcase(layer, pattern) for layer in covered):
            return f"none of its layers matches {pattern!r} of by_layer: {', '.join(covered)}."
    return ""


def _no_slot(rewiring: Rewiring, dataset: Dataset, model: Model) -> str:
    fitting = [layer for layer, place in model.slots() if place in rewiring.places]
    if not fitting:
        wanted = " or ".join(PLACES[place] for place in sorted(rewiring.places))
        others = [
            one.name for one in _taking(dataset) if any(place in rewiring.places for _, place in one.slots())
        ]
        return _lacks(wanted, model, dataset, others)
    return _uncovered(rewiring, fitting)


def _no_layer(rewiring: LayerRewiring, dataset: Dataset, model: Model) -> str:
    fitting = [layer for layer, kind in model.layers().items() if kind in rewiring.fits]
    if not fitting:
        wanted = " or ".join(f"{kind} layers" for kind in sorted(rewiring.fits))
        others = [
            one.name
            for one in _taking(dataset)
            if any(kind in rewiring.fits for kind in one.layers().values())
        ]
        return _lacks(wanted, model, dataset, others)
    return _uncovered(rewiring, fitting)


def _uncovered(layered: Layered, fitting: Sequence[str]) -> str:
    if any(map(layered.covers, fitting)):
        return ""
    return f"none of the layers that it fits matches {layered.layers!r}: {', '.join(fitting)}."


def _lacks(wanted: str, model: Model, dataset: Dataset, others: Iterable[str]) -> str:
    return (
        f"needs {wanted}, and the model {model.name} has none. "
        f"Models for {dataset.inputs} that have them: {', '.join(others) or 'none'}."
    )


def _taking(dataset: Dataset) -> list[Model]:
    examples = map(models.CATALOGUE.example, models.CATALOGUE)
    return [model for model in examples if dataset.inputs in model.inputs]


def _listed(names: Iterable[str]) -> str:
    return " and ".join(sorted(names))

"""The arms of a run, and the parts that are asked for by name: built, checked, and fitted to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, final

from pydantic import BaseModel, ConfigDict

from studylib import models
from studylib.components import Catalogue, Component, build
from studylib.datasets.base import Dataset
from studylib.errors import ParameterError, unknown
from studylib.models.base import Model
from studylib.trainers.base import Training
from studylib.trainers.candidates import Settings, choices
from studylib.trainers.compatibility import refuse_misfits

C = TypeVar("C", bound=Component)
Tree = Mapping[str, Any]
OVERRIDES = ("model", "training")  # what an arm may say besides its regularizers


@final
class Arm(BaseModel):
    """One way that a study compares: its regularizers, and where it differs, its model and training."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    regularizers: Settings
    model: Model
    training: Training


def training_of(value: Any, where: str, defaults: Tree) -> Training:
    """Return how is trained: ``value``, completed by ``defaults``.

    Raises:
        ParameterError: with the place ``where`` of what is wrong.
    """
    return build(Training, {**defaults, **_mapping(value, where)}, where)


def arms_of(value: Any, dataset: Dataset, model: Model, training: Training) -> tuple[Arm, ...]:
    """Return the arms of a run, each with the model and the training of the run where it has none.

    Raises:
        ParameterError: anything unknown, out of range, or that does not fit together.
    """
    arms = _mapping(value, "arms")
    if not arms:
        raise ParameterError("arms: expected at least a baseline, got none.")
    return tuple(
        _arm(name, _mapping(own, f"arms.{name}"), dataset, model, training) for name, own in arms.items()
    )


def _arm(name: str, own: Tree, dataset: Dataset, model: Model, training: Training) -> Arm:
    where = f"arms.{name}"
    if "model" in own:
        model = part(models.CATALOGUE, own["model"], f"{where}.model")
    if "training" in own:
        training = training_of(own["training"], f"{where}.training", training.model_dump())
    # a mapping has no order: sorted, because equal parameters are to give equal numbers
    names = sorted(key for key in own if key not in OVERRIDES)
    settings = {key: _mapping(own[key], f"{where}.{key}") for key in names}
    for regularizers in choices(settings, where):
        refuse_misfits(dataset, model, regularizers, training, where)
    return Arm(name=name, regularizers=settings, model=model, training=training)


def part(catalogue: Catalogue[C], value: Any, where: str) -> C:
    """Build the part that ``digits`` or ``{name: digits, …}`` asks for.

    Raises:
        ParameterError: no such part, or settings that are wrong.
    """
    settings = {"name": value} if isinstance(value, str) else dict(_mapping(value, where))
    name = settings.pop("name", None)
    if not isinstance(name, str):
        raise ParameterError(f"{where}.name: expected the name of a {catalogue.noun}, got {name!r}.")
    if name not in catalogue:
        raise unknown(catalogue.noun, name, catalogue, where)
    return build(catalogue[name], settings, where)


def _mapping(value: Any, where: str) -> Tree:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ParameterError(f"{where}: expected settings such as {{name: value}}, got {value!r}.")
    for name in value:
        if not isinstance(name, str):
            raise ParameterError(f"{where}: expected text as a name, got {name!r}. Put it in quotes.")
    return value

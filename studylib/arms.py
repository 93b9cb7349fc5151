"""The arms of a run, and the parts that are asked for by name: built, checked, and fitted to each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import prod
from typing import Any, NamedTuple, TypeVar, final

from pydantic import BaseModel, ConfigDict

from studylib import models, regularizers
from studylib.components import Catalogue, Component, build
from studylib.datasets.base import Dataset
from studylib.errors import Complaints, ParameterError, unknown
from studylib.models.base import Model
from studylib.trainers.base import Training
from studylib.trainers.candidates import (
    Settings,
    Values,
    is_open,
    listed,
    made,
    open_settings,
    types,
    values_of,
)
from studylib.trainers.compatibility import refuse_misfits
from studylib.trainers.tuning import MOST, Point, Space, Tuning, corners, count, first, fitted, refuse_unequal

C = TypeVar("C", bound=Component)
Tree = Mapping[str, Any]
OVERRIDES = ("model", "training")  # what an arm may say besides its regularizers


@final
class Arm(BaseModel):
    """One way that a study compares: its regularizers, and where it differs, its model and training.

    Attributes:
        regularizers: as they are asked for.
        model, training: with the first of the values that they leave open.
        space: what is left open, by ``<regularizer>.<setting>``, ``training.<setting>``, ``model.<setting>``.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    regularizers: Settings
    model: Model
    training: Training
    space: Mapping[str, Any] = {}

    def at(self, point: Point, where: str = "") -> Arm:
        """Return the arm with what is open at a ``point``.

        Raises:
            ParameterError: it cannot be there; ``where`` is the place of the arm.
        """
        changes: dict[str, dict[str, Any]] = {}
        for name, value in point.items():
            owner, _, setting = name.rpartition(".")
            changes.setdefault(owner, {})[setting] = value
        model, training = changes.pop("model", {}), changes.pop("training", {})
        return Arm(
            name=self.name,
            regularizers={name: {**own, **changes.get(name, {})} for name, own in self.regularizers.items()},
            model=_changed(self.model, model, f"{where}.model"),
            training=_changed(self.training, training, f"{where}.training"),
        )

    @property
    def shared(self) -> bool:
        """Whether one fit may try everything: the path of an exact solution, which shares its work."""
        owners = {name.rpartition(".")[0] for name in self.space}
        exact = self.training.optimizer == "exact" and self.model.name == "linear"
        return exact and not owners & set(OVERRIDES)


@final
class Common(NamedTuple):
    """What the arms of a run have that say nothing else, each with what it leaves open.

    Attributes:
        asked: what is open, as it was asked for.
    """

    model: Model
    training: Training
    space: dict[str, Any]
    asked: dict[str, dict[str, Any]]


def common_of(model: Any, training: Any) -> Common:
    """Return model and training of a run.

    Raises:
        ParameterError: with the places of all that is wrong.
    """
    told = Complaints()
    own = told.hear(_model, model, "model"), told.hear(_training, training, "training")
    if not (own[0] and own[1]):
        raise told.error()
    asked = {
        name: {key: value[key] for key in (n.rpartition(".")[2] for n in one.space)}
        for name, value, one in (("model", model, own[0]), ("training", training, own[1]))
        if one.space
    }
    return Common(own[0].part, own[1].part, {**own[1].space, **own[0].space}, asked)


def described(dataset: Dataset, arms: Iterable[Arm]) -> dict[str, Any]:
    """Return the facts of a dataset, with what the licences of data that arms read ask to be said."""
    read = [regularizers.CATALOGUE[name].attribution for arm in arms for name in arm.regularizers]
    said = "; ".join(dict.fromkeys(text for text in (dataset.attribution, *read) if text))
    return {**dataset.words(), **({"attribution": said} if said else {})}


def arms_of(value: Any, dataset: Dataset, common: Common, tuning: Tuning) -> tuple[Arm, ...]:
    """Return the arms of a run, each with the model and the training of the run where it has none.

    Raises:
        ParameterError: anything unknown, out of range, or that does not fit together.
    """
    arms = _mapping(value, "arms")
    if not arms:
        raise ParameterError("arms: expected at least a baseline, got none.")
    made = tuple(
        _arm(name, _mapping(own, f"arms.{name}"), dataset, common, tuning) for name, own in arms.items()
    )
    refuse_unequal({arm.name: count(arm.space, tuning) for arm in made if arm.space})
    return made


def _arm(name: str, own: Tree, dataset: Dataset, common: Common, tuning: Tuning) -> Arm:
    where = f"arms.{name}"
    model, training, space = common.model, common.training, dict(common.space)
    if "model" in own:
        model, opened = _model(own["model"], f"{where}.model")
        space = {key: values for key, values in space.items() if not key.startswith("model.")} | opened
    if "training" in own:
        said = _mapping(own["training"], f"{where}.training")
        space = {key: v for key, v in space.items() if key.removeprefix("training.") not in said}
        training, opened = _training(said, f"{where}.training", training.model_dump())
        space |= opened
    # a mapping has no order: sorted, because equal parameters are to give equal numbers
    names = sorted(key for key in own if key not in OVERRIDES)
    settings = {key: dict(sorted(_mapping(own[key], f"{where}.{key}").items())) for key in names}
    for key in names:
        if key not in regularizers.CATALOGUE:
            raise unknown("regularizer", key, regularizers.CATALOGUE, where)
    asked = {".".join(key): values for key, values in open_settings(settings, where).items()}
    whole = fitted({**asked, **dict(sorted(space.items()))}, tuning, where)
    arm = Arm(name=name, regularizers=settings, model=model, training=training, space=whole)
    for point in _looked_at(whole, tuning):
        there = arm.at(point, where)
        refuse_misfits(dataset, there.model, made(there.regularizers, where), there.training, where)
    return arm


def _looked_at(space: Space, tuning: Tuning) -> Iterator[dict[str, Any]]:
    """Give the points that are checked: all of a grid, and of ranges that are drawn from the corners."""
    values = [listed(v) for v in space.values()] if tuning.method == "grid" else [*corners(space).values()]
    if prod(map(len, values)) <= MOST:
        yield from (dict(zip(space, one, strict=True)) for one in product(*values))
        return
    for name, own in zip(space, values, strict=True):
        yield from ({**first(space), name: value} for value in own)


@final
class _Opened(NamedTuple):
    part: Any
    space: dict[str, Any]


def _model(value: Any, where: str) -> _Opened:
    settings = {"name": value} if isinstance(value, str) else dict(_mapping(value, where))
    name = settings.get("name")
    if name not in models.CATALOGUE:
        return _Opened(part(models.CATALOGUE, value, where), {})
    space = _open(models.CATALOGUE[str(name)], settings, where)
    return _Opened(part(models.CATALOGUE, settings | first(space), where), _prefixed(space, "model"))


def _training(value: Any, where: str, defaults: Tree | None = None) -> _Opened:
    settings = {**(defaults or {}), **_mapping(value, where)}
    space = _open(Training, settings, where)
    return _Opened(build(Training, settings | first(space), where), _prefixed(space, "training"))


def _open(cls: type[Component], settings: Tree, where: str) -> dict[str, Values]:
    kinds = types(cls)
    return {
        key: values_of(value, kinds.get(key, ""), f"{where}.{key}")
        for key, value in settings.items()
        if is_open(value, kinds.get(key, ""))
    }


def _prefixed(space: Space, owner: str) -> dict[str, Any]:
    return {f"{owner}.{key}": values for key, values in space.items()}


def _changed(whole: C, changes: Tree, where: str) -> C:
    return build(type(whole), {**whole.model_dump(), **changes}, where) if changes else whole


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


def strengths(arms: Iterable[Arm], regularizer: str) -> dict[str, float]:
    """Return the fixed strength of ``regularizer``, above 0, of the first arm that has one, and of its like.

    Those differ from it in nothing but the strength.
    """
    found: dict[str, float] = {}
    first: Any = None
    for arm in arms:
        own = dict(arm.regularizers.get(regularizer, {}))
        strength = own.pop("strength", None)
        if isinstance(strength, int | float) and strength > 0:
            rest = {**arm.regularizers, regularizer: own}
            first = rest if first is None else first
            found |= {arm.name: float(strength)} if rest == first else {}
    return found

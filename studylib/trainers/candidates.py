"""Settings that are left open: a list of values, or a range, in place of one value.

``{l1: {strength: [0.01, 0.1]}}`` and ``{l1: {strength: {low: 0.001, high: 1.0}}}`` each stand for several
candidates; the one that does best on rows that no weight was fitted to is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import product
from math import exp, floor, log
from typing import Annotated, Any, final

from pydantic import Field, ValidationInfo, field_validator, model_validator

from studylib import regularizers
from studylib.components import Component, build
from studylib.errors import ParameterError
from studylib.regularizers.base import Regularizer

Settings = Mapping[str, Mapping[str, Any]]
Points = Annotated[int, Field(ge=2, le=200, description="how many values a grid takes of it")]


class Ends(Component):
    """From ``low`` to ``high``, even in the logarithm, or with ``log: false`` along the line."""

    kind = "range"

    log: bool = True

    @field_validator("low", check_fields=False)
    @classmethod
    def _has_a_logarithm(cls, low: float, others: ValidationInfo) -> float:
        if others.data.get("log") and low <= 0:
            raise ValueError("greater than 0 where log is true")
        return low


@final
class Range(Ends):
    """Numbers from ``low`` to ``high``."""

    low: float
    high: float
    points: Points = 10

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low >= self.high:
            raise ValueError(f"low < high, not low {self.low:g} and high {self.high:g}")
        return self

    def values(self) -> list[float]:
        """Return ``points`` values, smallest first, with both ends."""
        if not self.log:
            step = (self.high - self.low) / (self.points - 1)
            return [self.low + i * step for i in range(self.points - 1)] + [self.high]
        step = log(self.high / self.low) / (self.points - 1)
        return [self.low * exp(i * step) for i in range(self.points - 1)] + [self.high]

    def clipped(self, points: int) -> Range:
        """Return the range with so many points."""
        return Range(log=self.log, low=self.low, high=self.high, points=points)


@final
class Whole(Ends):
    """Whole numbers from ``low`` to ``high``."""

    low: int
    high: int
    points: Points = 10

    @model_validator(mode="after")
    def _ordered(self) -> Whole:
        if self.low >= self.high:
            raise ValueError(f"low < high, not low {self.low} and high {self.high}")
        if "points" in self.model_fields_set and self.points > self.most:
            raise ValueError(
                f"at most {self.most} points, as there are whole numbers from {self.low} to {self.high}"
            )
        return self

    @property
    def most(self) -> int:
        """How many numbers there are."""
        return self.high - self.low + 1

    def values(self) -> list[int]:
        """Return ``points`` different values, or all if there are fewer, smallest first, with both ends."""
        points = min(self.points, self.most)
        if not self.log:
            step = (self.high - self.low) / (points - 1)
            return [floor(self.low + i * step + 0.5) for i in range(points)]
        found = [self.low]
        for left in range(points - 1, 0, -1):
            even = found[-1] * (self.high / found[-1]) ** (1 / left)  # what follows is even from here on
            found.append(max(found[-1] + 1, floor(even + 0.5)))
        return found

    def clipped(self, points: int) -> Whole:
        """Return the range with so many points, or all of them."""
        return Whole(log=self.log, low=self.low, high=self.high, points=min(points, self.most))


Values = tuple[Any, ...] | Range | Whole


@cache
def types(part: type[Component]) -> Mapping[str, str]:
    """Return the JSON type of each setting of a part."""
    return {name: schema["type"] for name, schema in part.settings().items()}


def is_open(value: Any, type_: str) -> bool:
    """Tell whether a value stands for several, where one is of a JSON ``type_``.

    A list does, but a list of lists where a list is one value; and a mapping, but where that is one value.
    """
    kinds = type_.split(" or ")
    if isinstance(value, Mapping):
        return "object" not in kinds
    if isinstance(value, list) and "array" in kinds:
        return bool(value) and all(isinstance(one, list) for one in value)
    return isinstance(value, list)


def values_of(value: Any, type_: str, where: str) -> Values:
    """Return what an open ``value`` stands for.

    Raises:
        ParameterError: an empty list, the same value twice, or a range that is not one.
    """
    if isinstance(value, Mapping):
        kinds = type_.split(" or ")
        if "number" in kinds or "integer" in kinds or not type_:
            whole = "integer" in kinds and "number" not in kinds
            return build(Whole, value, where) if whole else build(Range, value, where)
        raise ParameterError(
            f"{where}: expected a list of values to choose from, as only numbers have a range, got {value!r}"
        )
    if not value:
        raise ParameterError(f"{where}: expected at least one value to choose from, got an empty list.")
    twice = [one for place, one in enumerate(value) if one in value[:place]]
    if twice:
        raise ParameterError(f"{where}: expected different values to choose from, got {twice[0]!r} twice.")
    return tuple(value)


def listed(values: Values) -> tuple[Any, ...]:
    """Return the values that a grid takes."""
    return values if isinstance(values, tuple) else tuple(values.values())


def open_settings(settings: Settings, where: str = "") -> dict[tuple[str, str], Values]:
    """Return what regularizers leave open, by name and setting.

    Raises:
        ParameterError: as ``values_of``.
    """
    return {
        (name, key): values_of(value, _type(name, key), f"{where}.{name}.{key}")
        for name, own in settings.items()
        for key, value in own.items()
        if is_open(value, _type(name, key))
    }


def expand(settings: Settings, where: str) -> list[Settings]:
    """Return every combination of the values that ``settings`` leaves open; one if it leaves none.

    Raises:
        ParameterError: an empty list, or a range that is not one.
    """
    opened = open_settings(settings, where)
    combinations = product(*map(listed, opened.values()))
    return [filled(settings, dict(zip(opened, c, strict=True))) for c in combinations]


def choices(settings: Settings, where: str = "") -> list[tuple[Regularizer, ...]]:
    """Return the regularizers of every candidate of an arm.

    Raises:
        ParameterError: an unknown name or setting, a wrong type or range, at the place ``where``.
    """
    return [made(candidate, where) for candidate in expand(settings, where)]


def made(settings: Settings, where: str) -> tuple[Regularizer, ...]:
    """Return the regularizers of settings that leave nothing open.

    Raises:
        ParameterError: as ``choices``.
    """
    return tuple(regularizers.CATALOGUE.make(name, own, where) for name, own in settings.items())


def chosen(settings: Settings, candidate: int) -> dict[str, float]:
    """Return ``{"chosen_<regularizer>_<setting>": value}`` of what was left open, for one candidate.

    For a value that is no number, such as a pattern of layers, it is the place in the list, from 0.
    """
    taken = expand(settings, "")[candidate]
    return {
        f"chosen_{name}_{key}": as_number(taken[name][key], values)
        for (name, key), values in open_settings(settings).items()
    }


def as_number(taken: Any, among: Values) -> float:
    """Return a value that was taken; if it is no number, its place among those that it was taken from."""
    return float(taken if isinstance(taken, int | float) else listed(among).index(taken))


def filled(settings: Settings, values: Mapping[tuple[str, str], Any]) -> Settings:
    """Return settings with other values, each by name and setting."""
    return {
        name: {key: values.get((name, key), value) for key, value in own.items()}
        for name, own in settings.items()
    }


def _type(name: str, key: str) -> str:
    return types(regularizers.CATALOGUE[name]).get(key, "") if name in regularizers.CATALOGUE else ""

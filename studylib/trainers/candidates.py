"""Settings that are to be chosen: a list of values, or a range, in place of one value.

``{l1: {strength: [0.01, 0.1]}}`` and ``{l1: {strength: {low: 0.001, high: 1.0, points: 7}}}`` each stand for
several candidates; the one that does best on rows that no weight was fitted to is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from math import exp, log
from typing import Annotated, Any, final

from pydantic import Field, model_validator

from studylib import regularizers
from studylib.components import Component, build
from studylib.errors import ParameterError
from studylib.regularizers.base import Regularizer

Settings = Mapping[str, Mapping[str, Any]]


@final
class Range(Component):
    """``points`` values from ``low`` to ``high``, evenly spaced in the logarithm."""

    kind = "range"

    low: Annotated[float, Field(gt=0)]
    high: Annotated[float, Field(gt=0)]
    points: Annotated[int, Field(ge=2, le=200)] = 10

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        if self.low >= self.high:
            raise ValueError(f"low < high, not low {self.low:g} and high {self.high:g}")
        return self

    def values(self) -> list[float]:
        """Return the values, smallest first."""
        step = log(self.high / self.low) / (self.points - 1)
        return [self.low * exp(i * step) for i in range(self.points - 1)] + [self.high]


def expand(settings: Settings, where: str) -> list[Settings]:
    """Return every combination of the values that ``settings`` leaves open; one if it leaves none.

    Raises:
        ParameterError: an empty list, or a range that is not one.
    """
    open_settings = {
        (name, key): _values(value, f"{where}.{name}.{key}")
        for name, own in settings.items()
        for key, value in own.items()
        if _is_open(name, key, value)
    }
    combinations = product(*open_settings.values())
    return [_filled(settings, dict(zip(open_settings, c, strict=True))) for c in combinations]


def choices(settings: Settings, where: str = "") -> list[tuple[Regularizer, ...]]:
    """Return the regularizers of every candidate of an arm.

    Raises:
        ParameterError: an unknown name or setting, a wrong type or range, at the place ``where``.
    """
    return [
        tuple(regularizers.CATALOGUE.make(name, own, where) for name, own in candidate.items())
        for candidate in expand(settings, where)
    ]


def chosen(settings: Settings, candidate: int) -> dict[str, float]:
    """Return ``{"chosen_<regularizer>_<setting>": value}`` of what was left open, for one candidate.

    For a value that is no number, such as a pattern of layers, it is the place in the list, from 0.
    """
    taken = expand(settings, "")[candidate]
    return {
        f"chosen_{name}_{key}": _number(taken[name][key], value)
        for name, own in settings.items()
        for key, value in own.items()
        if _is_open(name, key, value)
    }


def _is_open(name: str, key: str, value: Any) -> bool:
    """Tell whether a value stands for several: a list or a range, where the setting is no mapping itself."""
    if not isinstance(value, list | Mapping):
        return False
    known = regularizers.CATALOGUE[name].settings() if name in regularizers.CATALOGUE else {}
    return known.get(key, {}).get("type") != "object"


def _number(taken: Any, among: Any) -> float:
    return float(taken if isinstance(taken, int | float) else list(among).index(taken))


def _values(value: Any, where: str) -> list[Any]:
    if isinstance(value, Mapping):
        return build(Range, value, where).values()
    if not value:
        raise ParameterError(f"{where}: expected at least one value to choose from, got an empty list.")
    return list(value)


def _filled(settings: Settings, values: Mapping[tuple[str, str], Any]) -> Settings:
    return {
        name: {key: values.get((name, key), value) for key, value in own.items()}
        for name, own in settings.items()
    }

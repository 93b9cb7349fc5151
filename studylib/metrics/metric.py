"""What a metric is, and how its numbers are shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import floor, inf, isfinite, log10
from typing import Literal, final

OF_TARGET = "unit of the target"


@final
@dataclass(frozen=True)
class Metric:
    """A number by which arms are compared.

    Attributes:
        name: in keys; ``noun``: in sentences.
        tasks: what it is for, and so what ``function`` takes; for ranking, the relevance of the best items
            (rows, 20) in their order, and the number of relevant items (rows,). "weights": the weights alone.
        unit: of a difference; ``OF_TARGET`` where the dataset says it.
        meaning: what a difference means to somebody who does not know the metric: takes the difference, the
            unit of the target, and what a row is called in the plural.
        takes: what ``function`` is given of a model: its predictions beside the truth, those and the naive
            forecast too, or the logarithms of the densities that it gave to the true targets.
        scale: 100 where a share is shown in percent and a difference of shares in percentage points.
    """

    name: str
    noun: str
    tasks: frozenset[str]
    function: Callable[..., float]
    higher_is_better: bool
    meaning: Callable[[float, str, str], str]
    unit: str = ""
    scale: float = 1.0
    takes: Literal["predictions", "forecasts", "densities"] = "predictions"

    @property
    def about(self) -> str:
        """Return the first sentence of the formula's docstring, in one line."""
        return " ".join((self.function.__doc__ or "").split("\n\n")[0].split())

    def formatted(self, value: float, target_unit: str = "") -> str:
        """Return a value as a reader knows it: ``87.4 %``, ``0.5177``, ``53.12 mg/dl``."""
        if self.unit == "points":
            return f"{_number(value * self.scale, 1)} %"
        return f"{_number(value, _decimals(value * 0.003))} {self.unit_shown(target_unit)}".strip()

    def size(self, difference: float, half_width: float = 0.0, target_unit: str = "") -> str:
        """Return the size of a difference without its sign, as a reader knows it: ``2.1 points``."""
        return f"{self.digits(abs(difference), half_width)} {self.unit_shown(target_unit)}".strip()

    def amount(self, size: float, target_unit: str = "") -> str:
        """Return a size that somebody chose, with its unit and every digit: ``0.5 points``, ``1 point``."""
        return counted(f"{size * self.scale:g}", self.unit_shown(target_unit))

    def digits(self, difference: float, half_width: float = 0.0) -> str:
        """Return a difference without unit, as precise as the ``half_width`` of its interval lets it be."""
        doubt = half_width if 0 < half_width < inf else difference * 0.3
        return _number(difference * self.scale, _decimals(doubt * self.scale))

    def unit_shown(self, target_unit: str) -> str:
        """Return the unit of a difference; empty for a bare number."""
        return target_unit if self.unit == OF_TARGET else self.unit


def counted(number: str, unit: str) -> str:
    """Return a number with its unit: ``1 point`` of points, ``1 unit of price`` of units of price."""
    one = number == "1" and (unit == "points" or unit.startswith("units of "))
    return f"{number} {re.sub('^(point|unit)s', lambda word: word[1], unit) if one else unit}".strip()


def _decimals(half_width: float) -> int:
    # The last digit shown is worth a third to a thirtieth of the half width: what is known, and no more.
    if not half_width or not isfinite(half_width):
        return 1
    return min(max(0, -floor(log10(abs(half_width) / 3))), 9)


def _number(value: float, decimals: int) -> str:
    return f"{value:z.{decimals}f}".replace("-", "−")

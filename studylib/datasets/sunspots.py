"""Sunspots, year by year.

Source: Clette, Svalgaard, Vaquero and Cliver (2014), https://doi.org/10.1007/s11214-014-0074-2
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, final

from studylib.datasets._rolling import RollingSeries, carried
from studylib.datasets._series import Horizon, LookBack, TestSteps, TrainSteps, ValidationSteps
from studylib.datasets._sources import installed

if TYPE_CHECKING:
    import numpy as np

YEARS = 309


@final
class Sunspots(RollingSeries):
    """The mean number of sunspots of each year, 1700 to 2008, and its next five years.

    x is (look_back, 1), y (horizon,), in standard deviations of the train values.
    """

    source: ClassVar[str] = (
        "National Geophysical Data Center, yearly sunspot numbers, as shipped with statsmodels; on their"
        " making Clette, Svalgaard, Vaquero and Cliver (2014), https://doi.org/10.1007/s11214-014-0074-2"
    )
    licence: ClassVar[str] = "public domain"
    about: ClassVar[str] = (
        "The yearly number of sunspots from 1700 to 2008, counted by many observers: cycles of about eleven"
        " years, each of another height."
    )
    not_for: ClassVar[str] = (
        "Small differences: a test of 40 years holds four cycles, so chance decides much. Counts before 1750"
        " are poor, and all were revised in 2015; these are the older ones."
    )

    look_back: LookBack = 33
    horizon: Horizon = 5
    train: TrainSteps = 150
    validation: ValidationSteps = 30
    test: TestSteps = 40

    @property
    def steps(self) -> int:
        """Return the number of years."""
        return YEARS

    def values(self) -> np.ndarray:
        """Return the yearly means."""
        return _load()

    def origin(self) -> list[str]:
        """Return the version of statsmodels, which ships the data."""
        return installed("statsmodels")


@lru_cache(maxsize=1)
def _load() -> np.ndarray:
    counts = carried("sunspots")
    counts.flags.writeable = False
    return counts


EXAMPLE = Sunspots()

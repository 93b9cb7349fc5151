"""Carbon dioxide in the air above Mauna Loa.

Source: Keeling and Whorf (2004), https://doi.org/10.3334/CDIAC/ATG.001
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.datasets._rolling import RollingSeries, carried
from studylib.datasets._series import Horizon, LookBack, TestSteps, TrainSteps, ValidationSteps
from studylib.datasets._sources import installed

if TYPE_CHECKING:
    import numpy as np

WEEKS = 1951  # from 1964-08-15, the week after the last of the long gaps


@final
class CO2(RollingSeries):
    """The mean concentration of carbon dioxide over every two weeks, and its next half year.

    x is (look_back, 1), y (horizon,), in standard deviations of the train values. Of the 1 951 weeks twelve
    are missing, at most four together; the last week that was measured stands in for them, so that no value
    tells of its future.
    """

    source: ClassVar[str] = (
        "Keeling and Whorf (2004), Atmospheric CO₂ concentrations derived from flask air samples at sites in"
        " the SIO network, https://doi.org/10.3334/CDIAC/ATG.001, as shipped with statsmodels"
    )
    licence: ClassVar[str] = "public domain"
    about: ClassVar[str] = (
        "Carbon dioxide in the air above Mauna Loa, Hawaii, in parts per million, from August 1964 to"
        " December 2001: a steady rise, and a rhythm of a year. The years before have gaps of months and are"
        " left out."
    )
    not_for: ClassVar[str] = (
        "Series without a season, or with jumps: this one is as regular as measured series get. Its level"
        " rises beyond all that was seen in training, which a model has to extrapolate if it does"
        " not follow the last value."
    )

    weeks: Annotated[int, Field(ge=1, le=13, description="weeks that a step is the mean of")] = 2
    look_back: LookBack = 78
    horizon: Horizon = 26
    train: TrainSteps = 312
    validation: ValidationSteps = 52
    test: TestSteps = 104

    @property
    def steps(self) -> int:
        """Return 975 for two weeks each."""
        return WEEKS // self.weeks

    def values(self) -> np.ndarray:
        """Return the means in parts per million; the first weeks are left out if they do not fill a step."""
        return _means(self.weeks)

    def origin(self) -> list[str]:
        """Return the version of statsmodels, which ships the data."""
        return installed("statsmodels")


@lru_cache(maxsize=2)
def _means(weeks: int) -> np.ndarray:
    import numpy as np

    measured = carried("co2")[-WEEKS:]
    known = np.maximum.accumulate(np.where(np.isnan(measured), 0, np.arange(WEEKS)))
    means: np.ndarray = measured[known][WEEKS % weeks :].reshape(-1, weeks).mean(axis=1)
    means.flags.writeable = False
    return means


EXAMPLE = CO2()

"""A series of known length that the seed cuts in time."""

from __future__ import annotations

from abc import abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import model_validator

from studylib.datasets._series import (
    DECIDES,
    UNIT,
    Cut,
    Cuts,
    Every,
    Horizon,
    LookBack,
    TestSteps,
    TrainSteps,
    ValidationSteps,
    rolled,
    together,
)
from studylib.datasets.base import Dataset, Split
from studylib.errors import StudyError

if TYPE_CHECKING:
    import numpy as np


def carried(name: str) -> np.ndarray:
    """Return the last column of a table that statsmodels carries, NaN where there is nothing.

    The file is read alone: to import statsmodels takes each process a second.

    Raises:
        StudyError: statsmodels is not installed.
    """
    import numpy as np

    spec = find_spec("statsmodels")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "datasets" / name / f"{name}.csv"
        values: np.ndarray = np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(1,))
        return values
    raise StudyError(
        f"{name} is carried by statsmodels, which is not installed here; `make env` installs it."
    )


class RollingSeries(Dataset):
    """One series: train, validation and test follow each other without a gap, from where the seed says.

    Where ``cut`` is fixed, all seeds have the latest cut that there is. No target of a part is one of
    another; what the windows of validation and test look back on may be.
    """

    task: ClassVar[str] = "forecasting"
    inputs: ClassVar[str] = "series"
    unit: ClassVar[str] = UNIT

    look_back: LookBack
    horizon: Horizon
    train: TrainSteps
    validation: ValidationSteps
    test: TestSteps
    cut: Cut = "rolling"
    every: Every = 1

    @property
    @abstractmethod
    def steps(self) -> int:
        """Return the length of the series, which is known without reading it."""

    @abstractmethod
    def values(self) -> np.ndarray:
        """Return the series (steps,) in its own unit, float64, which is not written to."""

    @model_validator(mode="after")
    def _leaves_windows(self) -> Self:
        wanted = self.train + self.validation + self.test
        if wanted > self.steps:
            raise ValueError(
                f"train + validation + test to be at most the {self.steps} steps that there are (here"
                f" {self.train} + {self.validation} + {self.test} = {wanted})"
            )
        self._cuts(0).refuse_short(self.look_back, self.horizon)
        return self

    def _cuts(self, seed: int) -> Cuts:
        seed = seed if self.cut == "rolling" else 0
        return rolled(self.steps, seed, self.train, self.validation, self.test)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``values`` (steps,), in the unit of the series."""
        return {"values": self.values()}

    def words(self) -> dict[str, Any]:
        """Return the facts, and what a seed decides."""
        return {**super().words(), "a seed decides": DECIDES[self.cut]}

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``; ``target_scale`` is in the unit of the series."""
        return together(self.values()[:, None], self._cuts(seed), self.look_back, self.horizon, self.every)

"""Transformer temperatures, hour by hour.

Source: Zhou et al. (2021), https://doi.org/10.1609/aaai.v35i12.17325
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

from pydantic import model_validator

from studylib.datasets._series import DECIDES, UNIT, Cuts, Every, Horizon, LookBack, apart
from studylib.datasets.base import Dataset, Split
from studylib.downloads import File, fetched

if TYPE_CHECKING:
    import numpy as np

CUTS = Cuts(0, 8640, 11520, 14400)  # 12, 4 and 4 months of 30 days
NAMES = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
COMMIT = "1d16c8f4f943005d613b5bc962e9eeb06058cf07"


@final
class ETTh1(Dataset):
    """Seven hourly series of one transformer, each forecast from itself alone, by one model for all seven.

    An example is one window of one series: x (look_back, 1), y (horizon,), every series standardised by its
    train values. Train, validation and test are hours 0 to 8639, 8640 to 11519 and 11520 to 14399, as in the
    papers, and the mean squared error over all test windows and series is what those call multivariate MSE.
    None of the windows is left out, while the code of several papers drops the last batch of the test.
    """

    task: ClassVar[str] = "forecasting"
    inputs: ClassVar[str] = "series"
    unit: ClassVar[str] = UNIT
    files: ClassVar[tuple[File, ...]] = (
        File(
            "ett/ETTh1.csv",
            f"https://raw.githubusercontent.com/zhouhaoyi/ETDataset/{COMMIT}/ETT-small/ETTh1.csv",
            "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
            2589657,
        ),
    )
    source: ClassVar[str] = (
        "Zhou, Zhang, Peng, Zhang, Li, Xiong and Zhang (2021), Informer,"
        " https://doi.org/10.1609/aaai.v35i12.17325, ETTh1.csv of https://github.com/zhouhaoyi/ETDataset"
    )
    licence: ClassVar[str] = "CC BY-ND 4.0"
    attribution: ClassVar[str] = (
        "ETDataset © Haoyi Zhou and others, https://github.com/zhouhaoyi/ETDataset, used unmodified under"
        " CC BY-ND 4.0, https://creativecommons.org/licenses/by-nd/4.0/."
    )
    about: ClassVar[str] = (
        "Six electrical loads and the oil temperature of a transformer in China, every hour from July 2016 to"
        " February 2018; 12 months to learn from, 4 to validate, 4 to test. The test takes every window; code"
        " of the papers that drops the last, smaller batch leaves out up to 31 of them."
    )
    not_for: ClassVar[str] = (
        "Other transformers, or other years: it is one device, and the test one winter. The level of some"
        " loads shifts between train and test, so a model that follows the last value is at an advantage."
    )

    look_back: LookBack = 336
    horizon: Horizon = 96
    every: Every = 1

    @model_validator(mode="after")
    def _leaves_windows(self) -> Self:
        CUTS.refuse_short(self.look_back, self.horizon)
        if self.every % len(NAMES) == 0:
            raise ValueError(
                f"every to be no multiple of 7, which would leave one of the seven series (here {self.every})"
            )
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``values`` (17420, 7), as measured."""
        return {"values": _load()}

    def origin(self) -> list[str]:
        """Return the hash of the file."""
        return [file.sha256 for file in self.files]

    def columns(self) -> tuple[str, ...]:
        """Return the names of the seven series."""
        return NAMES

    def words(self) -> dict[str, Any]:
        """Return the facts, and what a seed decides."""
        return {**super().words(), "a seed decides": DECIDES["fixed"]}

    def split(self, seed: int) -> Split:
        """Return the papers' split, whatever the seed."""
        del seed
        return apart(_load(), CUTS, self.look_back, self.horizon, self.every)


@lru_cache(maxsize=1)
def _load() -> np.ndarray:
    import numpy as np

    values: np.ndarray = np.loadtxt(fetched(ETTh1.files[0]), delimiter=",", skiprows=1, usecols=range(1, 8))
    values.flags.writeable = False
    return values


EXAMPLE = ETTh1()

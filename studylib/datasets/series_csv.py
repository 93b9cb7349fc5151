"""A series of one's own, in a CSV or parquet file.

Source: Shafranovich (2005), RFC 4180, https://doi.org/10.17487/RFC4180
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, final

from pydantic import ConfigDict, Field

from studylib.datasets import _cells, _moments, _tables
from studylib.datasets._own import OwnData, fingerprint, located
from studylib.datasets._own_parts import Share, TrainShare, ValidationShare
from studylib.datasets._series import DECIDES, LEAST_WINDOWS, UNIT, Cut, Cuts, Every, rolled, together
from studylib.datasets.base import Split
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets._tables import Table

MOST_AHEAD, PARTS_AHEAD, PAST = 24, 12, 3  # a horizon that nobody named, and its look-back

Column = Annotated[str, Field(min_length=1)]


@final
class SeriesCsv(OwnData):
    """A series of one's own: a row for each step, its time, the value to be forecast, and perhaps others.

    Rows are in the order of time, each time once and as far apart as the others; a year, a date, a date with
    a time, or a number. x is (look_back, channels), the target first and then ``columns``, y (horizon,), in
    standard deviations of the train values. The parts follow each other without a gap; where ``cut`` is
    rolling, the shares leave room for seeds to begin at other times.
    """

    model_config = ConfigDict(serialize_by_alias=True)
    task: ClassVar[str] = "forecasting"
    inputs: ClassVar[str] = "series"
    unit: ClassVar[str] = UNIT

    time: Annotated[Column, Field(description="column of times")]
    target: Annotated[Column, Field(description="column that is forecast")]
    columns_used: Annotated[
        tuple[Column, ...],
        Field(alias="columns", strict=False, description="others to forecast it from, known only so far"),
    ] = ()
    horizon: Annotated[
        int | None, Field(ge=1, description="steps ahead; a twelfth of the rows if not said, at most 24")
    ] = None
    look_back: Annotated[
        int | None, Field(ge=2, description="steps that a forecast is made from; three horizons if not said")
    ] = None
    train: TrainShare = 0.5
    validation: ValidationShare = 0.15
    test: Annotated[Share, Field(description="rows that forecasts are measured on, or their share")] = 0.15
    cut: Cut = "rolling"
    every: Every = 1
    gaps: Annotated[
        Literal["refuse", "last", "ignore"],
        Field(description="whether missing rows and cells are refused, are as the last, or rows are steps"),
    ] = "refuse"

    def refuse_unusable(self) -> None:
        """Read it and cut it, so that what is wrong is said before anything starts."""
        self._cuts(0)

    def described(self) -> str:
        """Return how many steps there are, from when to when, and what is forecast from what."""
        read = self._read()
        apart = f", {read.step} apart" if read.step else ""
        others = "".join(f", {name!r}" for name in self.columns_used)
        ahead, back = self._reach(len(read.values))
        filled = f" The last known value stands in for {read.filled:,} missing ones." if read.filled else ""
        return (
            f"{len(read.values):,} steps from {read.first} to {read.last}{apart}; {self.target!r}{others}:"
            f" {ahead} steps ahead from {back} before.{filled}"
        )

    def words(self) -> dict[str, Any]:
        """Return the facts, and what a seed decides."""
        return {**super().words(), "a seed decides": DECIDES[self.cut]}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``values`` (steps, channels), the target first."""
        return {"values": self._read().values}

    def columns(self) -> tuple[str, ...]:
        """Return the names of the channels, the target first."""
        return (self.target, *self.columns_used)

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``; ``target_scale`` is in the unit of the target.

        Raises:
            ParameterError: what is wrong with the file.
        """
        values = self._read().values
        ahead, back = self._reach(len(values))
        return together(values, self._cuts(seed), back, ahead, self.every)

    def _reach(self, steps: int) -> tuple[int, int]:
        """Return the horizon and the look-back."""
        ahead = self.horizon or max(1, min(MOST_AHEAD, steps // PARTS_AHEAD))
        return ahead, self.look_back or max(2, PAST * ahead)

    def _cuts(self, seed: int) -> Cuts:
        values = self._read().values
        steps = len(values)
        shares = (self.train, self.validation, self.test)
        train, held, tested = (round(steps * own) if isinstance(own, float) else own for own in shares)
        ahead, back = self._reach(steps)
        if train + held + tested > steps:
            raise ParameterError(
                f"{self.path}: expected train + validation + test to be at most the {steps} steps that there"
                f" are, got {train} + {held} + {tested} = {train + held + tested}. Lower one of them."
            )
        cuts = rolled(steps, seed if self.cut == "rolling" else 0, train, held, tested)
        try:
            cuts.refuse_short(back, ahead)
        except ValueError as error:
            raise ParameterError(
                f"{self.path}: expected {error}, of {steps} steps in all. Lower dataset.look_back or"
                " dataset.horizon, raise the share, or bring more rows."
            ) from None
        return cuts

    def _read(self) -> Reading:
        names = {"time": self.time, "target": self.target}
        names |= {f"columns.{place}": name for place, name in enumerate(self.columns_used)}
        return _read(self.path, fingerprint(located(self.path)), tuple(names.items()), self.gaps)


@final
class Reading(NamedTuple):
    """A series that was read and found usable.

    Attributes:
        values: (steps, channels), which are not written to.
        first, last: its times as a reader writes them.
        step: what lies between two rows in words, nothing where that differs.
        filled: how many rows and cells were missing and are as the last.
    """

    values: np.ndarray
    first: str
    last: str
    step: str
    filled: int


@lru_cache(maxsize=2)
def _read(path: str, content: str, names: tuple[tuple[str, str], ...], gaps: str) -> Reading:  # noqa: ARG001  # by which it is remembered
    import numpy as np

    _refuse_twice(path, dict(names))
    table = _tables.read(path, dict(names))
    if table.rows < LEAST_WINDOWS:
        raise ParameterError(f"{path}: expected at least {LEAST_WINDOWS} rows, got {table.rows}.")
    moments, place = _moments.moments(table), table.place("time")
    columns = [_values(table, role, gaps) for role, _ in names[1:]]
    values, filled = np.stack([column for column, _ in columns], axis=1), sum(cells for _, cells in columns)
    step = ""
    if gaps == "refuse":
        _moments.refuse_gaps(moments, place)
    if gaps == "last":
        values = values[_moments.filled(moments, place)]
        filled += len(values) - table.rows
    if gaps != "ignore":
        step = moments.words(moments.differences()[1])
    if values[:, 0].min() == values[:, 0].max():
        raise table.place("target").whole(f"expected values that change, got {values[0, 0]:g} in all rows.")
    values.flags.writeable = False
    first, last = (_moments.text(moments.shown[at]) for at in (0, -1))
    return Reading(values, first, last, step, filled)


def _refuse_twice(path: str, names: dict[str, str]) -> None:
    seen: dict[str, str] = {}
    for role, name in names.items():
        if name in seen:
            raise ParameterError(
                f"{path}: expected a column of its own as {role}, got {name!r}, which is the {seen[name]}."
            )
        seen[name] = role


def _values(table: Table, role: str, gaps: str) -> tuple[np.ndarray, int]:
    """Return a column as numbers, missing ones as the last where ``gaps`` says so, and how many they are."""
    import numpy as np

    place = table.place(role)
    numbers, wrong = _cells.numbers_of(table.columns[role][1])
    missing = np.flatnonzero(np.isnan(numbers)) if wrong is None else np.empty(0, dtype="int64")
    if not len(missing):
        return table.numbers(role), 0
    row = int(missing[0])
    if gaps != "last":
        more = f" {len(missing) - 1:,} more follow." if len(missing) > 1 else ""
        raise place.error(
            row,
            f"expected a number, got a missing cell.{more} A series has a value at every step: mend the file,"
            " or --set dataset.gaps=last repeats the last one.",
        )
    if row == 0:
        raise place.error(
            0, "expected a number, got a missing cell, and none is known before it. Drop the row."
        )
    known = np.where(np.isnan(numbers), 0, np.arange(len(numbers)))
    return numbers[np.maximum.accumulate(known)], len(missing)


EXAMPLE = SeriesCsv(path="load.csv", time="date", target="MW")

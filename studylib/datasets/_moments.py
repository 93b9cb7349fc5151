"""The times of a series' rows: in order, each once, as far apart as the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

from studylib.datasets import _cells

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets._tables import Place, Table

CLOCK = r"\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"  # a time of day with its zone
FIRST_DATE, LAST_DATE = 1000_01_01, 2999_12_31  # of dates that are written as one number
UNITS = {"day": 86_400_000_000, "hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}  # in µs
YEAR = 12  # months
MOST_FILLED = 1_000_000  # rows that are missing between two
REMEDY = (
    " Mend the file; or --set dataset.gaps=last repeats the last row where some are missing, and"
    " --set dataset.gaps=ignore takes rows as steps, whatever the time between them."
)


@final
class Moments(NamedTuple):
    """Times that are in order.

    Attributes:
        shown: as texts or numbers, in the order of the rows.
        counted: the same as numbers, in which rows that are a step apart differ by the same amount.
        unit: of a difference of these: ``month``, ``microsecond``, or nothing for plain numbers.
    """

    shown: np.ndarray
    counted: np.ndarray
    unit: str

    def differences(self) -> tuple[np.ndarray, float]:
        """Return by how much each row is later than the one before, and what it is most often."""
        import numpy as np

        later = np.diff(self.counted)
        found, counts = np.unique(later, return_counts=True)
        return later, float(found[counts.argmax()])

    def words(self, step: float) -> str:
        """Return a difference in words: ``1 hour``, ``15 minutes``, ``1 month``, ``0.5``."""
        if self.unit == "month":
            years = step % YEAR == 0
            return _plural(step / YEAR if years else step, "year" if years else "month")
        if self.unit == "microsecond":
            unit = next((unit for unit, size in UNITS.items() if step % size == 0), "second")
            return _plural(step / UNITS[unit], unit)
        return f"{step:g}"


def _plural(count: float, unit: str) -> str:
    return f"{count:g} {unit}" if count == 1 else f"{count:g} {unit}s"


def moments(table: Table) -> Moments:
    """Return the times of the role ``time``.

    Raises:
        ParameterError: a cell that is no time, times of which some have a zone, or a row that is not later
            than the one before.
    """
    import numpy as np

    place = table.place("time")
    cells = table.columns["time"][1]
    numbers, wrong = _cells.numbers_of(cells)
    if wrong is None and np.isfinite(numbers).all() and not _dates(numbers):
        found = Moments(numbers, numbers, "")
    else:
        _refuse_mixed_zones(cells, place)
        times = _of_digits(numbers) if wrong is None and _dates(numbers) else table.times("time")
        found = _counted(times)
    _refuse_disorder(found, place)
    return found


def _dates(numbers: np.ndarray) -> bool:
    """Tell whether numbers are dates such as 20240131."""
    if not len(numbers) or not ((numbers >= FIRST_DATE) & (numbers <= LAST_DATE)).all():
        return False
    months, days = numbers // 100 % 100, numbers % 100
    return bool(((months >= 1) & (months <= YEAR) & (days >= 1) & (days <= 31) & (numbers % 1 == 0)).all())


def _of_digits(numbers: np.ndarray) -> np.ndarray:
    whole = numbers.astype("int64")
    months = (whole // 10_000 - 1970) * YEAR + whole // 100 % 100 - 1
    days = months.astype("datetime64[M]").astype("datetime64[D]") + (whole % 100 - 1)
    times: np.ndarray = days.astype("datetime64[us]")
    return times


def _counted(times: np.ndarray) -> Moments:
    """Return times counted in months if all are the same day of one, or its last; else in microseconds."""
    import numpy as np

    day = np.timedelta64(1, "D")
    for shifted in (times, times + day):
        months = shifted.astype("datetime64[M]")
        within = shifted - months
        if len(times) > 1 and (within == within[0]).all():
            return Moments(times, months.astype("int64"), "month")
    return Moments(times, times.astype("int64"), "microsecond")


def _refuse_mixed_zones(cells: object, place: Place) -> None:
    import numpy as np
    from pyarrow import compute

    texts = _cells.trimmed(cells)
    zoned = compute.fill_null(compute.match_substring_regex(texts, CLOCK), fill_value=False)
    has = np.asarray(zoned)
    if has.any() and not has.all():
        odd = int(np.flatnonzero(has != has[0])[0])
        kinds = ("with its time zone", "without one")
        first, other = kinds if has[0] else kinds[::-1]
        raise place.error(
            odd,
            f"expected a time {first} as in the rows before, got {texts[odd].as_py()!r}, {other}. Write all"
            " times in the same way.",
        )


def _refuse_disorder(found: Moments, place: Place) -> None:
    import numpy as np

    later = np.diff(found.counted)
    wrong = np.flatnonzero(later <= 0)
    if not len(wrong):
        return
    row = int(wrong[0]) + 1
    before, this = (text(found.shown[at]) for at in (row - 1, row))
    if later[row - 1] == 0:
        raise place.error(
            row,
            f"{this} again, as in the row before. Does the file hold several series? Then keep one of them."
            " Was a clock set back? Then write times with their zone.",
        )
    raise place.error(
        row, f"expected a time after {before} of the row before, got {this}. Sort the file by time."
    )


def refuse_gaps(found: Moments, place: Place) -> None:
    """Insist that all rows are as far apart as most.

    Raises:
        ParameterError: the first row that is not.
    """
    import numpy as np

    later, step = found.differences()
    odd = np.flatnonzero(~np.isclose(later, step, rtol=1e-6, atol=0))
    if not len(odd):
        return
    row = int(odd[0]) + 1
    gap, many = later[row - 1] / step, len(odd)
    missing = f": {_plural(gap - 1, 'row')} missing" if gap % 1 == 0 else ""
    more = (
        f"; {_plural(many - 1, 'gap')} more follow" if many > 2 else "; another follows" if many == 2 else ""
    )
    raise place.error(
        row,
        f"expected a time {found.words(step)} after {text(found.shown[row - 1])} of the row before, as in"
        f" most rows, got {text(found.shown[row])}{missing}{more}.{REMEDY}",
    )


def filled(found: Moments, place: Place) -> np.ndarray:
    """Return for each step, evenly spaced, the row that is the last one known then.

    Raises:
        ParameterError: the first row that stands between two steps.
    """
    import numpy as np

    later, step = found.differences()
    steps = later / step
    odd = np.flatnonzero(np.abs(steps - steps.round()) > 1e-6)
    if len(odd):
        row = int(odd[0]) + 1
        raise place.error(
            row,
            f"expected a time a whole number of steps of {found.words(step)} after"
            f" {text(found.shown[row - 1])} of the row before, got {text(found.shown[row])}."
            " --set dataset.gaps=ignore takes rows as steps.",
        )
    repeats = np.append(steps.round(), 1).astype("int64")
    if repeats.sum() - len(repeats) > MOST_FILLED:
        raise place.whole(f"{int(repeats.sum()) - len(repeats):,} rows are missing: too many to fill in.")
    return np.repeat(np.arange(len(repeats)), repeats)


def text(moment: np.generic) -> str:
    """Return a time as a reader writes it: ``2024-01-31``, ``2024-01-31 06:00:00``, ``1984``."""
    if moment.dtype.kind == "M":
        return str(moment).replace("T", " ").removesuffix(".000000").removesuffix(" 00:00:00")
    return f"{float(moment):.15g}"

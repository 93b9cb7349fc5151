"""What a column asks for: a class or a number, and whether it can be asked at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from studylib.datasets import _cells
from studylib.datasets._tables import Place

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets._columns import Columns

FEW = 10  # different whole numbers up to which they are taken for classes
MOST = 1_000  # classes
LARGEST = 1e100  # squares of anything larger may overflow


@final
@dataclass(frozen=True)
class Target:
    """The column that is asked for.

    Attributes:
        classes: their names in order; empty for a regression.
        values: class numbers (n,) in int64, or numbers (n,) in float64.
        why: why it is taken for what it is, to follow "for".
    """

    classes: tuple[str, ...]
    values: np.ndarray
    why: str

    @property
    def task(self) -> str:
        """Classification or regression."""
        return "classification" if self.classes else "regression"


def target_of(columns: Columns, name: str, task: str | None, place: Place) -> Target:
    """Return what the column ``name`` asks for: what ``task`` says, else what it holds says.

    Raises:
        ParameterError: a cell that is missing, infinite or no number; one class, or nothing but ids.
    """
    kind = columns.kinds[columns.names.index(name)]
    values = columns.of(name)
    _refuse_gaps(values, place)
    if kind == "time":
        raise place.whole("expected a number or a class as the target, got a time. Name another column.")
    target = _of_texts(columns, name, task, place) if kind == "text" else _of_numbers(values, task, place)
    target.values.flags.writeable = False
    if target.classes:
        _refuse_classes(target, place)
    elif target.values.min() == target.values.max():
        raise place.whole(f"the target is {target.values[0]:g} in every row: nothing can be learnt from it.")
    return target


def _refuse_gaps(values: np.ndarray, place: Place) -> None:
    import numpy as np

    missing = np.flatnonzero(np.isnan(values))
    if len(missing):
        rows = f"{len(missing)} row{'s' * (len(missing) > 1)}"
        raise place.error(int(missing[0]), f"the target is missing in {rows}, here first. Drop or mend them.")
    large = np.flatnonzero(np.abs(values) > LARGEST)
    if len(large):
        cell = values[large[0]]
        raise place.error(int(large[0]), f"expected a finite target, got {cell:g}. Drop or mend the row.")


def _of_texts(columns: Columns, name: str, task: str | None, place: Place) -> Target:
    import numpy as np

    column = columns.names.index(name)
    levels, counts = columns.levels[column], columns.counts[column]
    codes = columns.of(name).astype(np.int64)
    numeric = [_cells.is_number(level) for level in levels]
    share = sum(c for c, is_number in zip(counts, numeric, strict=True) if is_number) / len(codes)
    hints = {level: found for level in levels if (found := _cells.hint(level))}
    odd = next((level for level, is_number in zip(levels, numeric, strict=True) if not is_number), None)
    if odd is not None and (task == "regression" or (task is None and (share > 0.5 or len(hints) > FEW))):
        row = int(np.flatnonzero(codes == levels.index(odd))[0])
        advice = "" if hints.get(odd) else " Mend the row, or say --set dataset.task=classification."
        raise place.error(row, f"expected a number, got {odd!r}.{hints.get(odd, '')}{advice}")
    return Target(levels, codes, f"it holds texts, {len(levels)} different ones")


def _of_numbers(values: np.ndarray, task: str | None, place: Place) -> Target:
    import numpy as np

    different = np.unique(values)
    whole = bool((different == np.round(different)).all())
    if task is None and len(values) > FEW and len(different) == len(values) and counts_rows(values):
        raise place.whole("it counts the rows: is it an id? Name another target, or set dataset.task.")
    few = whole and len(different) <= FEW
    if task == "regression" or (task is None and not few):
        kinds = "whole " if whole else ""
        return Target((), values, f"it holds {len(different):,} different {kinds}numbers")
    if len(different) > MOST:
        raise place.whole(
            f"expected at most {MOST:,} classes, got {len(different):,}. Set dataset.task to regression."
        )
    names = tuple(f"{value:.15g}" for value in different)
    codes = np.searchsorted(different, values).astype(np.int64)
    return Target(names, codes, f"it holds {len(different)} different {'whole ' * whole}numbers")


def counts_rows(values: np.ndarray) -> bool:
    """Tell whether the numbers are as many consecutive whole ones, in any order: those of an id."""
    import numpy as np

    ordered = np.sort(values)
    return bool((np.diff(ordered) == 1).all())


def _refuse_classes(target: Target, place: Place) -> None:

    count = len(target.classes)
    if count < 2:
        raise place.whole(f"every row is of the class {target.classes[0]!r}: there is nothing to tell apart.")
    if count > MOST or count > max(FEW, len(target.values) // 2):
        raise place.whole(
            f"{count:,} different classes in {len(target.values):,} rows: is it an id? Name another target."
        )


def refuse_unlearnt(target: Target, train: np.ndarray, place: Place) -> None:
    """Insist that each class has a row in train.

    Raises:
        ParameterError: one would be met in validation or test alone; its name, and its first row.
    """
    import numpy as np

    if not target.classes:
        return
    held = np.bincount(target.values[train], minlength=len(target.classes))
    unseen = np.flatnonzero(held == 0)
    if len(unseen):
        rows = np.flatnonzero(target.values == unseen[0])
        raise place.error(
            int(rows[0]),
            f"the class {target.classes[unseen[0]]!r} has {len(rows)} row{'s' * (len(rows) > 1)}, none"
            " among the train rows, so it cannot be learnt. Drop them, or join them to another class.",
        )

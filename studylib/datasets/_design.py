"""From the columns of a table to the inputs of a model: filled in, one-hot, and on the scale of train.

A column of numbers or times stays one column, its missing cells filled with the median of the train rows, and
an indicator beside it says where they were. A text becomes a column per level, 0 or 1; levels of few rows
share one, and missing is a level of its own. A level that no train row has is 0 everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from studylib.datasets._columns import Columns

LEVELS = 30  # that have a column of their own, at most
FEW = 10  # rows below which a level has none, in tables of at least ten times as many
ROWS = 1 << 14  # at once


@final
@dataclass(frozen=True)
class Feature:
    """One column of the inputs.

    Attributes:
        name: ``age``, ``age is missing``, ``colour=red``, ``colour=another``.
        column: of the table that it is made of.
        levels: which of its levels are 1; None for the number itself, empty for where it is missing.
    """

    name: str
    column: int
    levels: tuple[int, ...] | None


def features(columns: Columns, names: tuple[str, ...], missing: frozenset[str]) -> tuple[Feature, ...]:
    """Return the features that are made of the columns ``names``, of which those of ``missing`` have gaps.

    They depend on the whole table, so that they are the same in every seed; their values do not.
    """
    found: list[Feature] = []
    for name in names:
        column = columns.names.index(name)
        if columns.kinds[column] == "text" and not is_truth(columns.levels[column]):
            found += _one_hot(name, column, columns)
        else:
            found.append(Feature(name, column, None))
        if name in missing:
            found.append(Feature(f"{name} is missing", column, ()))
    return tuple(found)


def is_truth(levels: tuple[str, ...]) -> bool:
    """Tell whether the levels are false and true, which are 0 and 1 in that order."""
    return tuple(level.lower() for level in levels) == ("false", "true")


def _one_hot(name: str, column: int, columns: Columns) -> list[Feature]:
    counts = columns.counts[column]
    least = FEW if len(columns) >= 10 * FEW else 1
    common = sorted(range(len(counts)), key=lambda level: -counts[level])[:LEVELS]
    own = sorted(level for level in common if counts[level] >= least)
    others = tuple(level for level in range(len(counts)) if level not in set(own))
    found = [Feature(f"{name}={columns.levels[column][level]}", column, (level,)) for level in own]
    return [*found, Feature(f"{name}=another", column, others)] if others else found


@final
@dataclass(frozen=True)
class Design:
    """Features with what the train rows say of them: medians, levels that are known, mean and deviation."""

    values: np.ndarray
    features: tuple[Feature, ...]
    medians: np.ndarray
    known: tuple[np.ndarray, ...]
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, features: tuple[Feature, ...], train: np.ndarray) -> Design:
        """Learn from the rows ``train`` of ``values``, shape (rows, columns)."""
        import numpy as np

        rows = np.sort(train)
        medians = np.zeros(len(features))
        known = [np.empty(0, dtype=np.int64)] * len(features)
        gappy = {feature.column for feature in features if feature.levels == ()}
        for number, feature in enumerate(features):
            if feature.levels is None and feature.column not in gappy:
                continue  # nothing is to be filled in, and a median takes its time
            column = values[rows, feature.column] if feature.levels != () else np.zeros(0)
            present = column[~np.isnan(column)]
            if feature.levels is None and len(present):
                medians[number] = np.median(present)
            elif feature.levels:
                known[number] = np.intersect1d(present.astype(np.int64), feature.levels)
        zero, one = np.zeros(len(features)), np.ones(len(features))
        raw = cls(values, features, medians, tuple(known), zero, one)
        return cls(values, features, medians, tuple(known), *raw.scale(rows))

    def scale(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of each feature over ``rows``; 1 where it is constant."""
        import numpy as np

        blocks = list(_blocks(len(rows)))
        total = sum(self._filled(rows[block]).sum(axis=0) for block in blocks)
        mean = np.asarray(total) / len(rows)
        squares, low, high = np.zeros_like(mean), np.full_like(mean, np.inf), np.full_like(mean, -np.inf)
        for block in blocks:
            filled = self._filled(rows[block])
            low, high = np.minimum(low, filled.min(axis=0)), np.maximum(high, filled.max(axis=0))
            squares += ((filled - mean) ** 2).sum(axis=0)
        # of a constant column the deviation is rounding noise, which must not be divided by
        return np.where(high > low, mean, low), np.where(high > low, np.sqrt(squares / len(rows)), 1.0)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Return the inputs of ``rows``, shape (rows, features), float32, standardised in float64."""
        import numpy as np

        found = np.empty((len(rows), len(self.features)), dtype=np.float32)
        for block in _blocks(len(rows)):
            found[block] = (self._filled(rows[block]) - self.mean) / self.std
        return found

    def _filled(self, rows: np.ndarray) -> np.ndarray:
        """Return the features of ``rows``, nothing missing and not yet on a scale, float64."""
        import numpy as np

        cells = self.values[rows]
        found = np.empty((len(rows), len(self.features)))
        for number, (feature, median) in enumerate(zip(self.features, self.medians, strict=True)):
            own = cells[:, feature.column]
            if feature.levels is None:
                found[:, number] = np.where(np.isnan(own), median, own)
            elif feature.levels:
                found[:, number] = np.isin(own, self.known[number])
            else:
                found[:, number] = np.isnan(own)
        return found


def _blocks(rows: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, rows, ROWS))

"""Which rows of one's own data go where: in proportion, whole groups together, or in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from studylib.datasets._splits import Parts, shuffled, stratified
from studylib.errors import ParameterError
from studylib.seeds import numpy_generator

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

Share = Annotated[float, Field(gt=0, lt=1)] | Annotated[int, Field(ge=1)]
TrainShare = Annotated[Share, Field(description="rows that the weights are fitted on, or their share")]
ValidationShare = Annotated[
    Share, Field(description="rows that strengths and epochs are chosen on, or their share")
]
LEAST_TRAIN, LEAST_VALIDATION, LEAST_TEST = 10, 5, 10  # rows
KEPT = 0.8  # of the rows of a period of time that each seed draws
TRIES = 200  # of drawing groups until no class is missing from train


def sizes(rows: int, train: float, validation: float) -> tuple[int, int]:
    """Return how many rows train and validation have, of shares or numbers.

    Raises:
        ParameterError: too few are left, for one of the parts.
    """
    first, second = (round(rows * own) if isinstance(own, float) else own for own in (train, validation))
    parts = {"train": (first, LEAST_TRAIN), "validation": (second, LEAST_VALIDATION)}
    parts["test"] = (rows - first - second, LEAST_TEST)
    for name, (size, least) in parts.items():
        if size < least:
            divided = f"{first} train, {second} validation, {max(0, rows - first - second)} test"
            raise ParameterError(
                f"expected at least {least} rows for {name}, got {size} ({rows} rows: {divided})."
                " Change dataset.train and dataset.validation, or bring more rows."
            )
    return first, second


def drawn(seed: int, rows: int, train: int, validation: int, labels: np.ndarray | None) -> Parts:
    """Draw the parts of ``seed``: each class in proportion, or regardless of the target.

    Args:
        labels: class numbers (n,), None for a regression.
    """
    if labels is None:
        return shuffled(seed, rows, train, validation)
    return stratified(seed, labels, train, validation)


def grouped(seed: int, groups: np.ndarray, train: int, validation: int, labels: np.ndarray | None) -> Parts:
    """Draw whole groups into the parts, as close to the sizes as they allow.

    Args:
        groups: the number of each row's group, shape (n,).
        labels: as in ``drawn``; every class gets into train if a few hundred draws allow it.

    Raises:
        ParameterError: the groups are too few or too large.
    """
    import numpy as np

    generator = numpy_generator(seed, "split")
    counts = np.bincount(groups)

    def draw() -> Parts:
        order = generator.permutation(len(counts))
        ends = np.cumsum(counts[order])
        # of a border the nearer of its two sides; each part gets a group
        first = min(max(1, _nearest(ends, train)), len(order) - 2)
        second = min(max(first + 1, _nearest(ends, train + validation)), len(order) - 1)
        part = np.empty(len(counts), dtype=np.int64)
        part[order] = np.repeat([0, 1, 2], [first, second - first, len(order) - second])
        own = part[groups]
        return Parts(*(generator.permutation(np.flatnonzero(own == number)) for number in range(3)))

    if len(counts) < 3:
        raise ParameterError(f"expected at least 3 groups, one for each part, got {len(counts)}.")
    parts = _with_every_class(draw, labels)
    _refuse_small(parts, "the groups are too few or too large")
    return parts


def _nearest(ends: np.ndarray, size: int) -> int:
    import numpy as np

    return int(np.argmin(np.abs(ends - size))) + 1


def in_time(seed: int, times: np.ndarray, train: int, validation: int, labels: np.ndarray | None) -> Parts:
    """Return the earliest rows as train, the latest as test; rows of one time stay in one part.

    Where the borders are does not depend on the seed: each seed draws four fifths of the rows of each part,
    so that what differs between seeds is what other rows of the same time would have changed.

    Args:
        times: of each row, shape (n,).
        labels: as in ``drawn``.

    Raises:
        ParameterError: there are too few different times.
    """
    import numpy as np

    order = np.argsort(times, kind="stable")
    borders = np.flatnonzero(np.diff(times[order])) + 1
    if len(borders) < 2:
        raise ParameterError(f"expected at least 3 different times, got {len(borders) + 1}.")
    first, second = (int(borders[int(np.argmin(np.abs(borders - at)))]) for at in (train, train + validation))
    if second <= first:
        second = int(borders[min(int(np.searchsorted(borders, first)) + 1, len(borders) - 1)])
    periods = np.split(order, [first, second])
    generator = numpy_generator(seed, "split")

    def draw() -> Parts:
        return Parts(*(generator.permutation(own)[: max(1, round(KEPT * len(own)))] for own in periods))

    parts = _with_every_class(draw, labels)
    _refuse_small(parts, "many rows are of one time")
    return parts


def _with_every_class(draw: Callable[[], Parts], labels: np.ndarray | None) -> Parts:
    """Draw until each class has a train row; the last draw, if that does not happen."""
    import numpy as np

    parts = draw()
    classes = 0 if labels is None else int(labels.max()) + 1
    for _ in range(TRIES):
        if labels is None or len(np.unique(labels[parts.train])) == classes:
            break
        parts = draw()
    return parts


def _refuse_small(parts: Parts, reason: str) -> None:
    for name, least in (("train", LEAST_TRAIN), ("validation", LEAST_VALIDATION), ("test", LEAST_TEST)):
        found = len(getattr(parts, name))
        if found < least:
            raise ParameterError(f"expected at least {least} rows for {name}, got {found}: {reason}.")

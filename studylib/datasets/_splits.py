"""Which rows go where, and on which scale they are seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, NamedTuple, final

from pydantic import Field

from studylib.seeds import numpy_generator

if TYPE_CHECKING:
    import numpy as np

TrainRows = Annotated[int, Field(ge=20, description="rows that the weights are fitted on")]
ValidationRows = Annotated[int, Field(ge=20, description="rows that strengths and epochs are chosen on")]

Share = Annotated[float, Field(gt=0, le=0.4, description="share of the rows, the same of each class")]

# a share of 100 rows has a standard error of at most 5 points; below that a test says little
LEAST_TEST_ROWS = 100


@final
class Parts(NamedTuple):
    """Row numbers of the three parts, each in random order."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def leave_a_test(rows: int, train: int, validation: int) -> None:
    """Insist that enough of the ``rows`` are left to test on.

    Raises:
        ValueError: fewer than 100 are; it reads on from "expected ".
    """
    if rows - train - validation < LEAST_TEST_ROWS:
        most = rows - LEAST_TEST_ROWS
        raise ValueError(
            f"train + validation to be at most {most}, which leaves {LEAST_TEST_ROWS} of the {rows} rows"
            f" for the test (here {train} + {validation} = {train + validation})"
        )


def shuffled(seed: int, rows: int, train: int, validation: int) -> Parts:
    """Draw the parts without regard to the target."""
    order = numpy_generator(seed, "split").permutation(rows)
    return Parts(order[:train], order[train : train + validation], order[train + validation :])


def stratified(seed: int, labels: np.ndarray, train: int, validation: int) -> Parts:
    """Draw the parts so that train and validation hold each class within one row of its share.

    Args:
        labels: class numbers 0 … k − 1, shape (n,).
    """
    import numpy as np

    order = numpy_generator(seed, "split").permutation(len(labels))
    drawn = labels[order]
    counts = np.bincount(labels)
    first = _quota(counts, train)
    second = first + _quota(counts, validation)
    rank = _rank_within(drawn, counts)
    in_train, in_validation = rank < first[drawn], rank < second[drawn]
    return Parts(order[in_train], order[in_validation & ~in_train], order[~in_validation])


def held_out(
    seed: int, labels: np.ndarray, train: int | None, validation: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw train and validation rows where the test rows are given; classes have their shares in both.

    The validation rows are the same for any ``train``, and the train rows of a smaller one are among those
    of a larger one: accuracies at several sizes differ by the rows that came in, and by nothing else.

    Args:
        labels: class numbers 0 … k − 1 of the rows that are no test rows, shape (n,).
        train: how many; None for all that are left.
    """
    drawn = stratified(seed, labels, validation, train or 0)
    return (drawn.test if train is None else drawn.validation), drawn.train


def by_shares(seed: int, labels: np.ndarray, validation: float, test: float) -> Parts:
    """Draw the parts by shares of each class, which has at least one row in each part.

    Args:
        labels: class numbers 0 … k − 1, shape (n,), each at least three times.
        validation: share of each class's rows; so is ``test``.
    """
    train, tested, checked = _dealt(seed, labels, (test, validation))
    return Parts(train, checked, tested)


def by_share(seed: int, labels: np.ndarray, validation: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw train and validation rows where the test rows are given; a class has at least one in each.

    Args:
        labels: class numbers 0 … k − 1 of the rows that are no test rows, shape (n,), each at least twice.
        validation: share of each class's rows.
    """
    train, checked = _dealt(seed, labels, (validation,))
    return train, checked


def _dealt(seed: int, labels: np.ndarray, shares: tuple[float, ...]) -> list[np.ndarray]:
    """Deal the rows of each class by ``shares``, at least one to each; the first part has what is left."""
    import numpy as np

    order = numpy_generator(seed, "split").permutation(len(labels))
    drawn = labels[order]
    counts = np.bincount(labels)
    rank = _rank_within(drawn, counts)
    start = np.zeros_like(counts)
    part = np.zeros(len(labels), dtype=np.int64)
    for number, share in enumerate(shares, start=1):
        kept = 1 + len(shares) - number  # for the parts to come, and for what is left
        end = start + np.maximum(1, np.minimum(counts - start - kept, (counts * share).astype(np.int64)))
        part[(rank >= start[drawn]) & (rank < end[drawn])] = number
        start = end
    return [order[part == number] for number in range(len(shares) + 1)]


def _quota(counts: np.ndarray, size: int) -> np.ndarray:
    """Share ``size`` among classes in proportion to ``counts``, by largest remainder."""
    import numpy as np

    whole: np.ndarray = counts * size // counts.sum()
    remainder = counts * size % counts.sum()
    whole[np.argsort(-remainder, kind="stable")[: size - whole.sum()]] += 1
    return whole


def _rank_within(groups: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Number the members of each group 0, 1, … in the order in which they stand."""
    import numpy as np

    rank = np.empty(len(groups), dtype=np.int64)
    starts = np.cumsum(counts) - counts
    rank[np.argsort(groups, kind="stable")] = np.arange(len(groups)) - np.repeat(starts, counts)
    return rank


@final
@dataclass(frozen=True)
class Scale:
    """(x − mean) / std, with the numbers of the train rows."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, train: np.ndarray) -> Scale:
        """Measure each column of ``train``, shape (n, …), over its first axis."""
        import numpy as np

        # the std of a column that is constant in train may be rounding noise, which must not be divided by
        varies = train.max(axis=0) > train.min(axis=0)
        return cls(train.mean(axis=0), np.where(varies, train.std(axis=0), 1.0))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return ``x`` on this scale."""
        scaled: np.ndarray = (x - self.mean) / self.std
        return scaled

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


def every_class(seed: int, labels: np.ndarray, train: int, validation: int, *, least_test: int = 1) -> Parts:
    """Draw the parts with the classes in proportion, but at least one row of each class in each part.

    Args:
        labels: class numbers 0 … k − 1, shape (n,).
        train, validation: how many rows; the rest is the test.
        least_test: rows of each class in the test; 0 where it is drawn from other rows.

    Raises:
        ValueError: a class or a part has fewer rows than that takes; it reads on from "expected ".
    """
    import numpy as np

    order = numpy_generator(seed, "split").permutation(len(labels))
    drawn = labels[order]
    counts = np.bincount(labels)
    shares = _shared(counts, train, validation, np.array([1, 1, least_test]))
    ends = shares.cumsum(axis=0)
    part = (_rank_within(drawn, counts) >= ends[:, drawn]).sum(axis=0)
    return Parts(*(order[part == number] for number in range(3)))


def _shared(counts: np.ndarray, train: int, validation: int, least: np.ndarray) -> np.ndarray:
    """Return how many rows of each class are in each part, shape (3, classes)."""
    import numpy as np

    sizes = np.array([train, validation, counts.sum() - train - validation])
    for size, one, name in zip(sizes, least, Parts._fields, strict=True):
        if size < one * len(counts):
            raise ValueError(f"at least {len(counts)} rows for {name}, one for each class, got {size}")
    if counts.min() < least.sum():
        raise ValueError(f"at least {least.sum()} rows of each class, one for each part, got {counts.min()}")
    first = _quota(counts, train)
    second = _quota(counts - first, validation)  # of what is left, of which there is enough
    shares = np.stack([first, second, counts - first - second])
    for part, name in np.argwhere(shares < least[:, None]):
        _traded(shares, part, name)
    return shares


def _traded(shares: np.ndarray, part: int, name: int) -> None:
    """Give ``part`` a row of the class ``name``, for a row of the class that it has most of."""
    import numpy as np

    giver, most = int(np.argmax(shares[:, name])), int(np.argmax(shares[part]))
    shares[[part, giver], name] += np.array([1, -1])
    shares[[part, giver], most] += np.array([-1, 1])


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

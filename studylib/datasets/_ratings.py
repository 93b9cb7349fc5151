"""Who rated what, and which of it is held out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, final

from pydantic import Field

from studylib.datasets._splits import shuffled
from studylib.datasets.base import Examples, Split

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets._splits import Parts

HeldOut = Annotated[
    Literal["random", "last_out"],
    Field(description="held out: a tenth each at random, or of each user the last one, and the one before"),
]
SHARE = 0.1  # of all that is held out at random, for validation and for the test each
LEAST = 3  # ratings of a user of whom the last two are held out


@final
class Ratings(NamedTuple):
    """Ratings in the order of a file.

    Attributes:
        pairs: user and item by number, (n, 2), int64.
        values: what was given, (n,), float64.
        times: when, (n,), int64, in any unit; the place in the file where that is not known.
        users: the names behind the numbers.
        items: likewise.
    """

    pairs: np.ndarray
    values: np.ndarray
    times: np.ndarray
    users: np.ndarray
    items: np.ndarray

    def of(self, chosen: np.ndarray) -> Ratings:
        """Return some of the ratings, by a mask or by their numbers; the names stay."""
        return self._replace(pairs=self.pairs[chosen], values=self.values[chosen], times=self.times[chosen])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``interactions`` (n, 2), ``ratings`` (n,), ``times`` (n,), and the names that they have."""
        return {
            "interactions": self.pairs,
            "ratings": self.values,
            "times": self.times,
            "users": self.users,
            "items": self.items,
        }


def frozen(ratings: Ratings) -> Ratings:
    """Return the ratings, which nobody can write to any more."""
    for array in ratings:
        array.flags.writeable = False
    return ratings


def latest(ratings: Ratings) -> Ratings:
    """Return of each user and item the latest rating, and of one time that which is last in the file."""
    import numpy as np

    number = ratings.pairs[:, 0] * len(ratings.items) + ratings.pairs[:, 1]
    order = np.lexsort([ratings.times, number])
    last = np.append(np.diff(number[order]) != 0, True)
    return ratings.of(np.sort(order[last]))


def renumbered(ratings: Ratings) -> Ratings:
    """Return the ratings without the names of users and items that have none."""
    import numpy as np

    users, user = np.unique(ratings.pairs[:, 0], return_inverse=True)
    items, item = np.unique(ratings.pairs[:, 1], return_inverse=True)
    pairs = np.column_stack([user, item]).astype(np.int64)
    return ratings._replace(pairs=pairs, users=ratings.users[users], items=ratings.items[items])


def core(ratings: Ratings, least: int) -> Ratings:
    """Leave out users and items with fewer than ``least`` ratings until all have them; renumber the rest."""
    import numpy as np

    while True:
        user, item = ratings.pairs.T
        enough = (np.bincount(user)[user] >= least) & (np.bincount(item)[item] >= least)
        if enough.all():
            return renumbered(ratings)
        ratings = ratings.of(enough)


def split_of(ratings: Ratings, held_out: str, seed: int, *, rated: bool) -> Split:
    """Return the split of ``seed``.

    At random a tenth of the ratings is for validation and a tenth for the test, whoever gave them. By the
    last, of each user with at least three the last one is tested and the one before is for validation, which
    is the same in every seed; whoever has fewer is in train alone. Of equal times the later in the file is
    later.

    Args:
        rated: whether the ratings are the target, or that there are any.
    """
    import numpy as np

    count = len(ratings.pairs)
    part = round(SHARE * count)
    drawn = shuffled(seed, count, count - 2 * part, part) if held_out == "random" else last_out(ratings)
    values = ratings.values if rated else np.ones(count)
    train, validation, test = (Examples(ratings.pairs[rows], values[rows]) for rows in drawn)
    return Split(train, validation, test, (len(ratings.users), len(ratings.items)), outputs=1)


def last_out(ratings: Ratings) -> Parts:
    """Return the numbers of the ratings of each part, as ``split_of`` says, in the order of the file."""
    import numpy as np

    from studylib.datasets._splits import Parts

    user = ratings.pairs[:, 0]
    counts = np.bincount(user)
    order = np.lexsort([ratings.times, user])
    after = np.empty(len(user), dtype=np.int64)  # how many of the same user come after each
    after[order] = np.repeat(np.cumsum(counts), counts) - 1 - np.arange(len(user))
    after[counts[user] < LEAST] = 2
    return Parts(np.flatnonzero(after > 1), np.flatnonzero(after == 1), np.flatnonzero(after == 0))

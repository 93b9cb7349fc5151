"""Ratings of one's own: who rated what, or only who chose what, in a CSV or parquet."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, final

from pydantic import Field, model_validator

from studylib.datasets import _tables
from studylib.datasets._cache import stored
from studylib.datasets._own import OwnData, fingerprint, located
from studylib.datasets._ratings import LEAST, HeldOut, Ratings, core, frozen, latest, split_of
from studylib.datasets.base import Deciding, Split
from studylib.errors import ParameterError
from studylib.places import store_folder

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets._tables import Table

FEWEST = 20  # ratings, of which a tenth can be held out twice
LONGEST = 500  # characters of a name
EFFECT = 0.005  # of the standard deviation of the ratings

Column = Annotated[str, Field(min_length=1)]


@final
class RatingsCsv(OwnData):
    """Ratings of one's own, one in each row of a CSV or parquet: a user, an item, and what is known of them.

    With the column of a ``rating`` that is asked for, else which items a user has a row with. Where a user
    has rated an item more than once the last rating counts: the latest where there is a ``time``, else that
    which stands last in the file.
    """

    inputs: ClassVar[str] = "interactions"

    user: Annotated[Column, Field(description="column that says who")]
    item: Annotated[Column, Field(description="column that says what")]
    rating: Annotated[Column | None, Field(description="column of the rating; without, items are ranked")] = (
        None
    )
    time: Annotated[Column | None, Field(description="column of the time")] = None
    held_out: HeldOut = "random"
    core: Annotated[
        int, Field(ge=1, description="rows that each user and each item has at least; others are left out")
    ] = 1

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        if self.held_out == "last_out" and self.time is None:
            raise ValueError("a column as time where held_out is last_out, for only time says which is last")
        return self

    @property
    def task(self) -> str:
        """Return ``rating`` where there is a column of it, else ``ranking``."""
        return "ranking" if self.rating is None else "rating"

    @property
    def unit(self) -> str:
        """Return ``rating points`` where ratings are asked for."""
        return "" if self.rating is None else "rating points"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``interactions`` (n, 2), ``ratings``, ``times``, and the names, ``users`` and ``items``."""
        return self.ratings().arrays()

    def split(self, seed: int) -> Split:
        """Return the split of ``seed``."""
        return split_of(self.ratings(), self.held_out, seed, rated=self.rating is not None)

    def deciding(self) -> Deciding:
        """Return the RMSE with half a percent of the ratings' standard deviation, or the NDCG at 20."""
        if self.rating is None:
            return super().deciding()
        return Deciding("test_rmse", float(f"{EFFECT * float(self.ratings().values.std()):.0e}"))

    def described(self) -> str:
        """Return how many ratings there are, of how many users and items, and from what to what."""
        ratings = self.ratings()
        users, items, count = len(ratings.users), len(ratings.items), len(ratings.pairs)
        what = "rows" if self.rating is None else "ratings"
        span = "" if self.rating is None else f", from {ratings.values.min():g} to {ratings.values.max():g}"
        share = f"{100 * count / users / items:.2g} % of all pairs"
        return f"{count} {what} of {users} users and {items} items{span}: {share}." + self._left_out()

    def _left_out(self) -> str:
        double = self.doubled()
        earlier = f" {double} earlier ones of the same user and item are left out." if double else ""
        rare = f" Users and items with fewer than {self.core} are left out." if self.core > 1 else ""
        return earlier + rare

    def doubled(self) -> int:
        """Return how many rows do not count, for a later one is of the same user and item."""
        return len(_read(*self._columns()).pairs) - len(_one_each(*self._columns()).pairs)

    def ratings(self) -> Ratings:
        """Return the ratings that are learnt from, one of each user and item at most.

        Raises:
            ParameterError: the file, the row and the column, what was expected and what was found.
        """
        path, mark, columns = self._columns()
        ratings = _chosen(path, mark, columns, self.core)
        _refuse_few(path, ratings, self)
        return ratings

    def _columns(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        columns = {"user": self.user, "item": self.item, "rating": self.rating, "time": self.time}
        named = tuple((role, name) for role, name in columns.items() if name is not None)
        return self.path, fingerprint(located(self.path)), named


def _refuse_few(path: str, ratings: Ratings, asked: RatingsCsv) -> None:
    """Insist that there is something to learn, and to hold out.

    Raises:
        ParameterError: one user, one item, one rating for all, or too little of it.
    """
    import numpy as np

    left = f" with at least {asked.core} rows" if asked.core > 1 else ""
    for names, column in ((ratings.users, asked.user), (ratings.items, asked.item)):
        if len(names) < 2:
            found = f", {str(names[0])!r}" if len(names) else ""
            remedy = "Lower dataset.core." if asked.core > 1 else "Is it the right column?"
            raise ParameterError(
                f"{path}, column {column!r}: expected at least 2 different values{left}, got"
                f" {len(names)}{found}: there is nothing to recommend by. {remedy}"
            )
    if len(ratings.pairs) < FEWEST:
        raise ParameterError(
            f"{path}: expected at least {FEWEST} pairs of user and item{left}, got {len(ratings.pairs)}."
        )
    if asked.rating is not None and ratings.values.min() == ratings.values.max():
        raise ParameterError(
            f"{path}, column {asked.rating!r}: expected different ratings, got {ratings.values[0]:g} in all"
            " rows. Leave dataset.rating out to rank the items."
        )
    if asked.held_out == "last_out" and np.bincount(ratings.pairs[:, 0]).max() < LEAST:
        raise ParameterError(
            f"{path}: expected users with at least {LEAST} rows, of which the last two are held out, and no"
            " user has them. Choose dataset.held_out 'random'."
        )


@lru_cache(maxsize=2)
def _chosen(path: str, mark: str, columns: tuple[tuple[str, str], ...], least: int) -> Ratings:
    ratings = _one_each(path, mark, columns)
    return frozen(core(ratings, least)) if least > 1 else ratings


@lru_cache(maxsize=2)
def _one_each(path: str, mark: str, columns: tuple[tuple[str, str], ...]) -> Ratings:
    return frozen(latest(_read(path, mark, columns)))


@lru_cache(maxsize=2)
def _read(path: str, mark: str, columns: tuple[tuple[str, str], ...]) -> Ratings:
    """Return the ratings as they stand in the file, whose content is ``mark``; they are kept in the store."""
    code = Path(__file__).read_text(encoding="utf-8")
    known = stored(
        store_folder(), "ratings", [mark, repr(columns), code], lambda: _parsed(path, dict(columns))
    )
    return frozen(Ratings(**known))


def _parsed(path: str, columns: dict[str, str]) -> dict[str, np.ndarray]:
    import numpy as np

    table = _tables.read(path, columns)
    users, user = _named(table, "user")
    items, item = _named(table, "item")
    rows = np.arange(table.rows)
    return Ratings(
        np.column_stack([user, item]),
        table.numbers("rating") if "rating" in columns else np.ones(table.rows),
        table.times("time").astype(np.int64) if "time" in columns else rows,
        users,
        items,
    )._asdict()


def _named(table: Table, role: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the names of a column and the number of each row's.

    Raises:
        ParameterError: a name is missing, or is a text that is no name.
    """
    import numpy as np

    names, numbers = table.levels(role)
    lengths = np.array([len(name) for name in names])
    if lengths.max() > LONGEST:
        row = int(np.flatnonzero(lengths[numbers] > LONGEST)[0])
        raise table.place(role).error(
            row, f"expected a name of at most {LONGEST} characters, got {lengths[numbers[row]]}."
        )
    return np.array(names), numbers.astype(np.int64)


EXAMPLE = RatingsCsv(path="ratings.csv", user="user", item="item")

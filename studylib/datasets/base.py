"""What a dataset is: where it comes from, what it is good for, and a split decided by the seed alone."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, final

from studylib.components import Component
from studylib.downloads import File

if TYPE_CHECKING:
    import numpy as np


@final
@dataclass(frozen=True)
class Examples:
    """Rows of a dataset.

    Attributes:
        x: images (n, channels, height, width), tables (n, features) and series (n, length, channels) in
            float32 or float64; text (n, length) in int64, 0 padding and 1 the unknown word; interactions
            (n, 2) in int64, row, item.
        y: by the dataset's task. Classification: class numbers (n,) in int64. Regression: the target (n,) in
            float64, standardised by train. Forecasting: the next values (n, horizon) in float64, standardised
            by train. Ranking: ones (n,). Rating: the ratings (n,) in float64, as they were given.
    """

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


@final
@dataclass(frozen=True)
class Split:
    """Train, validation and test rows of one seed, and the shapes that a model is built for.

    Attributes:
        inputs: shape that the model sees: (channels, height, width), (features,), (vocabulary, length),
            (length, channels) of series, or (rows, items).
        outputs: number of classes, the horizon of a forecast, or 1 for regression, ranking and rating.
        target_scale: standard deviation of the train target in its own unit (1 for classification): multiply
            an error by it to have the error in that unit.
        unit: what one unit of the inputs' own scale is after standardisation, from black to white for images;
            broadcasts to a row of images or of a table. None where nothing is known of it.
        black: what is black after standardisation, so that images can be shown as they are: a pixel is
            (x − black)/unit, 0 to 1. None where nobody says, and for what is no image.
        vocabulary: the words of text by their numbers, from 2 on; empty where there are none.
    """

    train: Examples
    validation: Examples
    test: Examples
    inputs: tuple[int, ...]
    outputs: int
    target_scale: float = 1.0
    unit: np.ndarray | None = None
    black: np.ndarray | None = None
    vocabulary: tuple[str, ...] = ()

    @property
    def classified(self) -> bool:
        """Whether the target is a class, and so an output a score per class."""
        return self.train.y.dtype.kind == "i"


@final
class Deciding(NamedTuple):
    """What arms are judged by where nobody says: a metric, and the size from which a difference matters."""

    metric: str
    smallest_effect: float


# of every task but regression, whose unit is the target's
DECIDING = {
    "classification": Deciding("test_accuracy", 0.01),
    "forecasting": Deciding("test_mse", 0.01),
    "ranking": Deciding("test_ndcg_at_20", 0.005),
    "rating": Deciding("test_rmse", 0.005),
}
BLOCK = 1 << 24  # bytes that are hashed at once
EFFECT = 0.02  # of the standard deviation of a regression's target


class Dataset(Component):
    """A dataset with its settings; what it holds is fixed, how it is split follows from the seed."""

    kind: ClassVar[str] = "dataset"
    inputs: ClassVar[str]  # "images", "tables", "text", "series" or "interactions"
    files: ClassVar[tuple[File, ...]] = ()  # that it is fetched from
    source: ClassVar[str]
    licence: ClassVar[str]
    attribution: ClassVar[str] = ""  # what the licence asks to be said wherever it is used
    about: ClassVar[str]  # what it is
    not_for: ClassVar[str]  # what it is not good for

    @property
    @abstractmethod
    def task(self) -> str:
        """Return what is asked: ``classification``, ``regression``, ``forecasting``, ``ranking``, ``rating``.

        Most datasets fix it with the class; one that is brought by a user finds it in the data or settings.
        """

    @property
    def unit(self) -> str:
        """Return the unit of the target, for regression, forecasting and rating; else nothing."""
        return ""

    @property
    def side(self) -> int:
        """Return the pixels of a side of its images, which are square; 0 where inputs are no images."""
        return 0

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Return the whole content in a fixed order, before any split: what ``content_hash`` covers."""

    @abstractmethod
    def origin(self) -> list[str]:
        """Return what the content comes from, as texts that change when it may: versions, hashes of files.

        Settings and code of the dataset need not be named. ``_sources.installed`` names packages.

        Raises:
            StudyError: it is not there.
        """

    @abstractmethod
    def split(self, seed: int) -> Split:
        """Return the split of ``seed``; scaling and vocabulary come from the train rows alone."""

    def refuse_unusable(self) -> None:  # nothing of what ships with a package
        """Say what is wrong with the data before anything starts: of a user's own file, whatever is.

        Raises:
            ParameterError: the file, the row and the column, what was expected and what was found.
        """

    def refuse_seeds(self, seeds: int) -> None:
        """Insist that there is a split for each of so many seeds, as there is but for published splits.

        Raises:
            ParameterError: there are fewer.
        """

    def remarks(self) -> list[str]:
        """Return what whoever runs it should know first, a sentence each: what ``data check`` adds."""
        return []

    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes, in the order of their numbers; empty where there are none."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """Return the names of a table's columns, in the order of a split; empty where there are none."""
        return ()

    def deciding(self) -> Deciding:
        """Return what arms are judged by where nobody says.

        For a regression the effect is 2 % of the standard deviation of the target, to one digit: the target
        is the array of that name.
        """
        if self.task != "regression":
            return DECIDING[self.task]
        return Deciding("test_rmse", float(f"{EFFECT * float(self.arrays()['target'].std()):.0e}"))

    def words(self) -> dict[str, Any]:
        """Return the facts that a reader needs: source, licence, what it is, what it is not good for."""
        facts = {
            "source": self.source,
            "licence": self.licence,
            "attribution": self.attribution,
            "about": self.about,
            "not good for": self.not_for,
        }
        return {name: fact for name, fact in facts.items() if fact or name != "attribution"}


def content_hash(dataset: Dataset) -> str:
    """Return the sha256 over names, types, shapes and bytes of the whole content."""
    digest = sha256()
    for name, array in sorted(dataset.arrays().items()):
        digest.update(f"{name}/{array.dtype.str}/{array.shape}".encode())
        step = max(1, BLOCK // max(1, array[:1].nbytes))
        for start in range(0, len(array), step):  # not whole: it may be larger than the memory
            digest.update(array[start : start + step].tobytes())
    return digest.hexdigest()

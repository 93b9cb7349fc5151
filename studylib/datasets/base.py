"""What a dataset is: where it comes from, what it is good for, and a split decided by the seed alone."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, final

from studylib.components import Component

if TYPE_CHECKING:
    import numpy as np


@final
@dataclass(frozen=True)
class Examples:
    """Rows of a dataset.

    Attributes:
        x: images (n, channels, height, width) and tables (n, features) in float32 or float64; text
            (n, length) in int64, 0 padding and 1 the unknown word; interactions (n, 2) in int64, row, item.
        y: class numbers in int64, or the target in float64, standardised by train; ones for interactions.
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
        inputs: shape that the model sees: (channels, height, width), (features,), (vocabulary, length), or
            (rows, items).
        outputs: number of classes, or 1 for regression and ranking.
        target_scale: standard deviation of the train target in its own unit (1 for classification): multiply
            an error by it to have the error in that unit.
        unit: what one unit of the inputs' own scale is after standardisation, from black to white for images;
            broadcasts to a row of images or of a table. None where nothing is known of it.
        vocabulary: the words of text by their numbers, from 2 on; empty where there are none.
    """

    train: Examples
    validation: Examples
    test: Examples
    inputs: tuple[int, ...]
    outputs: int
    target_scale: float = 1.0
    unit: np.ndarray | None = None
    vocabulary: tuple[str, ...] = ()


class Dataset(Component):
    """A dataset with its settings; what it holds is fixed, how it is split follows from the seed."""

    kind: ClassVar[str] = "dataset"
    task: ClassVar[str]  # "classification", "regression" or "ranking"
    inputs: ClassVar[str]  # "images", "tables", "text" or "interactions"
    source: ClassVar[str]
    licence: ClassVar[str]
    about: ClassVar[str]  # what it is
    not_for: ClassVar[str]  # what it is not good for
    unit: ClassVar[str] = ""  # of the target, for regression

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

    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes, in the order of their numbers; empty where there are none."""
        return ()

    def columns(self) -> tuple[str, ...]:
        """Return the names of a table's columns, in the order of a split; empty where there are none."""
        return ()

    def words(self) -> dict[str, Any]:
        """Return the facts that a reader needs: source, licence, what it is, what it is not good for."""
        return {
            "source": self.source,
            "licence": self.licence,
            "about": self.about,
            "not good for": self.not_for,
        }


def content_hash(dataset: Dataset) -> str:
    """Return the sha256 over names, types, shapes and bytes of the whole content."""
    digest = sha256()
    for name, array in sorted(dataset.arrays().items()):
        digest.update(f"{name}/{array.dtype.str}/{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

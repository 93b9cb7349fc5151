"""Small datasets of every kind, drawn from a seed: real data for models and trainers, about nothing."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, final

import numpy as np

from studylib.datasets.base import Dataset, Examples, Split
from studylib.seeds import numpy_generator

TRAIN, VALIDATION, TEST = 40, 30, 30
ROWS = TRAIN + VALIDATION + TEST
# of a vocabulary, from number 2 on; most have a synonym among them
WORDS = """car automobile big large small little begin start end finish
           quick fast happy glad road street pick choose"""


class MadeUp(Dataset):
    """Rows drawn from the seed; a number but 0 deals the labels of that part out anew, and no others."""

    source: ClassVar[str] = "drawn for a test"
    licence: ClassVar[str] = "CC0"
    about: ClassVar[str] = "numbers"
    not_for: ClassVar[str] = "anything else"
    shape: ClassVar[tuple[int, ...]]
    outputs: ClassVar[int]

    validation_labels: int = 0
    test_labels: int = 0

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return all rows and their labels."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the rows of seed 0."""
        x, y = self.draw(numpy_generator(0, "split"))
        return {"x": x, "y": y}

    def origin(self) -> list[str]:
        """Return nothing: the settings say it all."""
        return []

    def classes(self) -> tuple[str, ...]:
        """Return a letter per class."""
        return tuple("abc"[: self.outputs]) if self.task == "classification" else ()

    def split(self, seed: int) -> Split:
        """Return 40 rows to train on, 30 to validate and 30 to test."""
        x, y = self.draw(numpy_generator(seed, "split"))
        cuts = [TRAIN, TRAIN + VALIDATION]
        for deal, part in ((self.validation_labels, slice(*cuts)), (self.test_labels, slice(cuts[1], None))):
            if deal:
                y[part] = np.random.default_rng(deal).permutation(y[part])
        train, validation, test = map(Examples, np.split(x, cuts), np.split(y, cuts))
        words = tuple(WORDS.split()) if self.inputs == "text" else ()
        return Split(train, validation, test, self.shape, self.outputs, unit=np.array(0.5), vocabulary=words)


@final
class Pictures(MadeUp):
    """Noise, and a bright stroke where the class says: three classes."""

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "images"
    shape: ClassVar[tuple[int, ...]] = (1, 6, 6)
    outputs: ClassVar[int] = 3

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return pictures and classes."""
        y = rng.integers(0, 3, ROWS)
        x = rng.normal(size=(ROWS, 1, 6, 6)).astype("float32")
        x[np.arange(ROWS), 0, 2 * y] += 1
        return x, y


@final
class Measures(MadeUp):
    """Five numbers of which two decide between two classes, most of the time."""

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "tables"
    shape: ClassVar[tuple[int, ...]] = (5,)
    outputs: ClassVar[int] = 2

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return measures and classes."""
        x = rng.normal(size=(ROWS, 5))
        return x, (x[:, 0] - x[:, 1] + rng.normal(size=ROWS) > 0).astype(np.int64)


@final
class Grades(MadeUp):
    """Five numbers of which one decides between three classes."""

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "tables"
    shape: ClassVar[tuple[int, ...]] = (5,)
    outputs: ClassVar[int] = 3

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return measures and classes."""
        x = rng.normal(size=(ROWS, 5))
        return x, np.digitize(x[:, 0], [-0.5, 0.5])


@final
class Prices(MadeUp):
    """A number that depends on two of five others; its mean is 3, so that it needs an intercept."""

    task: ClassVar[str] = "regression"
    inputs: ClassVar[str] = "tables"
    unit: ClassVar[str] = "coins"
    shape: ClassVar[tuple[int, ...]] = (5,)
    outputs: ClassVar[int] = 1

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return measures and prices."""
        x = rng.normal(size=(ROWS, 5))
        return x, 3 + x[:, 0] - x[:, 1] + 0.5 * rng.normal(size=ROWS)


@final
class Sentences(MadeUp):
    """Two to nine of twenty words, one of which gives the class away; 0 is padding."""

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "text"
    shape: ClassVar[tuple[int, ...]] = (20, 9)
    outputs: ClassVar[int] = 2

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return sentences and classes."""
        y, ends = rng.integers(0, 2, ROWS), rng.integers(2, 10, ROWS)
        x = rng.integers(1, 18, (ROWS, 9))
        x[np.arange(ROWS), rng.integers(0, ends)] = 18 + y
        return np.where(np.arange(9) < ends[:, None], x, 0), y


@final
class Tides(MadeUp):
    """A wave of 24 steps that begins anywhere, at any level, its height beside another channel of noise."""

    task: ClassVar[str] = "forecasting"
    inputs: ClassVar[str] = "series"
    unit: ClassVar[str] = "standard deviations"
    shape: ClassVar[tuple[int, ...]] = (8, 2)
    outputs: ClassVar[int] = 3

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return eight steps of both channels, and the next three of the first."""
        begins, levels = rng.uniform(0, 24, (ROWS, 1)), rng.normal(size=(ROWS, 1))
        heights = levels + np.sin((begins + np.arange(11)) * np.pi / 12) + 0.1 * rng.normal(size=(ROWS, 11))
        past = np.stack([heights[:, :8], rng.normal(size=(ROWS, 8))], axis=2)
        return past.astype("float32"), heights[:, 8:]


@final
class Visits(MadeUp):
    """Each of 30 guests comes six times, mostly into the half of the 40 rooms that is like its number.

    One visit is for validation and one for the test; ``test_labels`` sends the latter to other rooms.
    """

    task: ClassVar[str] = "ranking"
    inputs: ClassVar[str] = "interactions"
    shape: ClassVar[tuple[int, ...]] = (30, 40)
    outputs: ClassVar[int] = 1

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return pairs of guest and room, six in a row per guest, and ones."""
        guests, rooms = self.shape
        like = np.arange(rooms) % 2 == np.arange(guests)[:, None] % 2
        liking = rng.random((guests, rooms)) + 0.8 * like
        chosen = np.argsort(-liking, axis=1)[:, :6]
        chosen = rng.permuted(chosen, axis=1)
        pairs = np.stack([np.repeat(np.arange(guests), 6), chosen.ravel()], axis=1)
        return pairs, np.ones(len(pairs))

    def split(self, seed: int) -> Split:
        """Return four visits of each guest to train on, one to validate and one to test."""
        pairs, ones = self.draw(numpy_generator(seed, "split"))
        turn = np.arange(len(pairs)) % 6
        if self.test_labels:
            pairs[turn == 5, 1] = self._other_rooms(pairs)
        masks = (turn < 4, turn == 4, turn == 5)
        train, validation, test = (Examples(pairs[mask], ones[mask]) for mask in masks)
        return Split(train, validation, test, self.shape, self.outputs)

    def _other_rooms(self, pairs: np.ndarray) -> np.ndarray:
        free = np.random.default_rng(self.test_labels).random(self.shape)
        free[pairs[:, 0], pairs[:, 1]] = -1
        rooms: np.ndarray = free.argmax(axis=1)
        return rooms


@final
class Stars(MadeUp):
    """What 30 guests think of 40 rooms, one to five stars; like guests and rooms agree, with some noise.

    ``test_labels`` gives the test ratings other stars.
    """

    task: ClassVar[str] = "rating"
    inputs: ClassVar[str] = "interactions"
    shape: ClassVar[tuple[int, ...]] = (30, 40)
    outputs: ClassVar[int] = 1

    @property
    def unit(self) -> str:
        """Return stars."""
        return "stars"

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return 300 different pairs of guest and room, and their stars."""
        pairs = rng.permutation(np.argwhere(np.ones(self.shape)))[:300]
        alike = pairs[:, 0] % 2 == pairs[:, 1] % 2
        return pairs, (2.5 + alike + rng.normal(0, 0.7, 300)).clip(1, 5).round()

    def split(self, seed: int) -> Split:
        """Return 200 ratings to train on, 50 to validate and 50 to test."""
        x, y = self.draw(numpy_generator(seed, "split"))
        if self.test_labels:
            y[250:] = 6 - y[250:]
        train, validation, test = map(Examples, np.split(x, [200, 250]), np.split(y, [200, 250]))
        return Split(train, validation, test, self.shape, self.outputs)


DATASETS: tuple[MadeUp, ...] = (Pictures(), Measures(), Prices(), Sentences(), Visits(), Stars(), Tides())

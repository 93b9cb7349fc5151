"""What does a bank's customer want? Source: Casanueva et al. (2020), https://doi.org/10.18653/v1/2020.nlp4convai-1.5"""

from __future__ import annotations

import csv
import json
from functools import lru_cache
from io import StringIO
from typing import TYPE_CHECKING, Annotated, ClassVar, final

from pydantic import Field

from studylib.datasets._splits import held_out
from studylib.datasets._words import Length, MinCount, Texts, chosen, split_of, tokenized
from studylib.datasets.base import Dataset, Split
from studylib.downloads import File, fetched
from studylib.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

TRAIN, INTENTS = 10_003, 77
SMALLEST = 30  # rows that the rarest of the classes, with 35, has left at least beside its validation rows
HEADER = ["text", "category"]
_HOME = (
    "https://raw.githubusercontent.com/PolyAI-LDN/task-specific-datasets"
    "/57ec275d8078af65b7731c2a98be812d844a6d6b/banking_data"
)


@final
class Banking77(Dataset):
    """10 003 + 3 080 questions of a bank's customers with 77 intents; the test rows are the published ones.

    Inputs have shape (n, length) in int64: the words of a question by their numbers, 0 after its end and 1
    for a word that the train rows have fewer than ``min_count`` times. Train and validation rows are drawn
    from the 10 003: validation with the classes in proportion, train all that are left or, to see what few
    rows do, ``per_class`` of each class.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "text"
    files: ClassVar[tuple[File, ...]] = (
        File(
            "banking77/train.csv",
            f"{_HOME}/train.csv",
            "b06e26ac675513959a63135f11b94ea7786ed02da65db93a5650d8838cbc664b",
            839073,
        ),
        File(
            "banking77/test.csv",
            f"{_HOME}/test.csv",
            "d12d6e3bc4c3103966ae786dc435913c0c563dfa328f5a3646d0e62cfeeb474d",
            239961,
        ),
        File(
            "banking77/categories.json",
            f"{_HOME}/categories.json",
            "53261da888122daf2d120d925458631d9619e15d82e56052e7a42e535ce32b63",
            2036,
        ),
    )
    source: ClassVar[str] = (
        "Casanueva, Temčinas, Gerz, Henderson and Vulić (2020), https://doi.org/10.18653/v1/2020.nlp4convai-1.5,"
        " https://github.com/PolyAI-LDN/task-specific-datasets"
    )
    licence: ClassVar[str] = "CC BY 4.0"
    attribution: ClassVar[str] = (
        "BANKING77 by Casanueva, Temčinas, Gerz, Henderson and Vulić, PolyAI,"
        " https://github.com/PolyAI-LDN/task-specific-datasets, licensed under CC BY 4.0,"
        " https://creativecommons.org/licenses/by/4.0/; here split and turned into numbers"
    )
    about: ClassVar[str] = (
        "13 083 questions in English to a bank, each with one of 77 intents that lie close together; 35 to"
        " 187 train rows of an intent, and the 3 080 test rows, 40 of each, that everybody uses."
    )
    not_for: ClassVar[str] = (
        "Questions that are about nothing of the list, or about two things. Exact figures: a part of the"
        " labels is known to be wrong. How often an intent is asked: the test has as many rows of each."
    )

    per_class: (
        Annotated[
            int, Field(ge=1, le=SMALLEST, description="train rows of each intent; all the rest if null")
        ]
        | None
    ) = None
    validation: Annotated[
        int,
        Field(ge=INTENTS, le=1400, description="rows of the 10 003 that strengths and epochs are chosen on"),
    ] = 1000
    length: Length = 60
    min_count: MinCount = 1

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the questions of train and test as strings, and their labels, as published."""
        import numpy as np

        (texts, labels), (test_texts, test_labels) = _read()[1:]
        return {
            "train_texts": np.array(texts),
            "train_labels": labels,
            "test_texts": np.array(test_texts),
            "test_labels": test_labels,
        }

    def classes(self) -> tuple[str, ...]:
        """Return the intents, in the order of the list that is published with the questions."""
        return _read()[0]

    def origin(self) -> list[str]:
        """Return the hashes of the files."""
        return [file.sha256 for file in self.files]

    def split(self, seed: int) -> Split:
        """Return train and validation rows of ``seed``, and the published test rows."""
        (texts, labels), (test_texts, test_labels) = _read()[1:]
        given = Texts(tokenized(texts), labels)
        test = Texts(tokenized(test_texts), test_labels)
        train, validation = held_out(seed, labels, None, self.validation)
        if self.per_class is not None:
            train = _first(train, labels, self.per_class)
        parts = (chosen(given, train), chosen(given, validation), test)
        return split_of(parts, self.min_count, self.length, INTENTS)


def _first(rows: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the first ``count`` of each class, in the order in which they stand."""
    import numpy as np

    of_classes = [np.flatnonzero(labels[rows] == intent)[:count] for intent in range(INTENTS)]
    drawn: np.ndarray = rows[np.sort(np.concatenate(of_classes))]
    return drawn


def _read() -> tuple[tuple[str, ...], tuple[tuple[str, ...], np.ndarray], tuple[tuple[str, ...], np.ndarray]]:
    return _parsed(*(fetched(file) for file in Banking77.files))


@lru_cache(maxsize=1)
def _parsed(
    train: Path, test: Path, categories: Path
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], np.ndarray], tuple[tuple[str, ...], np.ndarray]]:
    intents = tuple(json.loads(categories.read_bytes()))
    return intents, labelled(train, intents), labelled(test, intents)


def labelled(path: Path, intents: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return texts and labels of a CSV with the columns text and category; a text may have line ends.

    Raises:
        ParameterError: it has other columns, or a category that is not among ``intents``.
    """
    import numpy as np

    numbers = {intent: number for number, intent in enumerate(intents)}
    reader = csv.reader(StringIO(path.read_bytes().decode(), newline=""), strict=True)
    header, *rows = reader
    for number, row in enumerate(rows, start=2):
        if header != HEADER or len(row) != len(HEADER) or row[1] not in numbers:
            raise ParameterError(
                f"{path}, row {number}: expected a text and one of the intents, got {row!r}."
            )
    labels = np.array([numbers[category] for _, category in rows], dtype=np.int64)
    labels.flags.writeable = False
    return tuple(text for text, _ in rows), labels


EXAMPLE = Banking77()

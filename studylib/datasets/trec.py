"""What kind of answer does a question ask for? Source: Li and Roth (2002), https://doi.org/10.3115/1072228.1072378"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from studylib.datasets._splits import held_out
from studylib.datasets._words import Length, MinCount, Texts, chosen, split_of, tokenized
from studylib.datasets.base import Dataset, Split
from studylib.downloads import File, fetched
from studylib.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

TRAIN = 5452
REPEATED, IN_TEST = 71, 10  # rows of train that stand there before, and that are test rows too
KINDS = ("description", "entity", "abbreviation", "human", "location", "number")
_HOME = (
    "https://raw.githubusercontent.com/harvardnlp/sent-conv-torch"
    "/d61ded09c99c0199d8c5bca946cd65864de2b296/data"
)


@final
class TREC(Dataset):
    """5 452 + 500 questions in English by the kind of answer; the test rows are the published ones.

    Inputs have shape (n, length) in int64: the words of a question by their numbers, 0 after its end and 1
    for a word that the train rows have fewer than ``min_count`` times. Train and validation rows are drawn
    from the 5 452, with the classes in proportion.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "text"
    files: ClassVar[tuple[File, ...]] = (
        File(
            "sent-conv/TREC.train.all",
            f"{_HOME}/TREC.train.all",
            "c8183fd8c2a5cc4a9a1c56548d7c6410a8b71ed7843df9ef1f0a05cd7cf2fb3e",
            292402,
        ),
        File(
            "sent-conv/TREC.test.all",
            f"{_HOME}/TREC.test.all",
            "92a6a3cede5678b447ef5f1d7ec474134fcda211e6590e6fa627b4a2c68e4566",
            19479,
        ),
    )
    source: ClassVar[str] = (
        "Li and Roth (2002), https://doi.org/10.3115/1072228.1072378, TREC-6 as in"
        " https://github.com/harvardnlp/sent-conv-torch"
    )
    licence: ClassVar[str] = "none stated; for research"
    about: ClassVar[str] = (
        "5 952 questions of 2 to 37 words with six kinds of answers: description, entity, abbreviation (86 of"
        " the train rows), human, location, number; the 500 test rows are those that everybody uses."
    )
    not_for: ClassVar[str] = (
        "Small differences: of 500 test rows an accuracy of 90 % has a standard error of 1.3 points, and all"
        " seeds share them. Questions as people ask them now: train and test were written by others, the"
        f" shares of the classes differ. {REPEATED} train rows repeat another and {IN_TEST} stand in the test"
        " too: duplicates: drop leaves them out of train."
    )

    train: (
        Annotated[int, Field(ge=20, description="rows of the 5 452 to fit on; all the rest if null")] | None
    ) = None
    validation: Annotated[
        int, Field(ge=20, le=2000, description="rows of the 5 452 that strengths and epochs are chosen on")
    ] = 500
    duplicates: Annotated[
        Literal["keep", "drop"],
        Field(description="train rows that stand there before, or in the test: as published, or left out"),
    ] = "keep"
    length: Length = 40
    min_count: MinCount = 1

    @model_validator(mode="after")
    def _within(self) -> Self:
        rows = TRAIN - (REPEATED + IN_TEST if self.duplicates == "drop" else 0)
        if self.train is not None and self.train + self.validation > rows:
            raise ValueError(
                f"train + validation to be at most {rows}"
                f" (here {self.train} + {self.validation} = {self.train + self.validation})"
            )
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the questions of train and test as strings, and their labels, as published."""
        import numpy as np

        (texts, labels), (test_texts, test_labels) = _read()
        return {
            "train_texts": np.array(texts),
            "train_labels": labels,
            "test_texts": np.array(test_texts),
            "test_labels": test_labels,
        }

    def classes(self) -> tuple[str, ...]:
        """Return the kinds of answers."""
        return KINDS

    def origin(self) -> list[str]:
        """Return the hashes of the files."""
        return [file.sha256 for file in self.files]

    def split(self, seed: int) -> Split:
        """Return train and validation rows of ``seed``, and the published test rows."""
        import numpy as np

        (texts, labels), (test_texts, test_labels) = _read()
        rows = _kept(texts, test_texts) if self.duplicates == "drop" else np.arange(len(texts))
        given = chosen(Texts(tokenized(texts), labels), rows)
        test = Texts(tokenized(test_texts), test_labels)
        train, validation = held_out(seed, given.labels, self.train, self.validation)
        parts = (chosen(given, train), chosen(given, validation), test)
        return split_of(parts, self.min_count, self.length, len(KINDS))


def _kept(texts: tuple[str, ...], test_texts: tuple[str, ...]) -> np.ndarray:
    """Return the rows whose text is in no row before, nor in the test."""
    import numpy as np

    first = {text: row for row, text in reversed(list(enumerate(texts)))}
    return np.array([r for r, text in enumerate(texts) if first[text] == r and text not in test_texts])


def _read() -> tuple[tuple[tuple[str, ...], np.ndarray], ...]:
    return _parsed(tuple(fetched(file) for file in TREC.files))


@lru_cache(maxsize=1)
def _parsed(paths: tuple[Path, ...]) -> tuple[tuple[tuple[str, ...], np.ndarray], ...]:
    return tuple(labelled(path) for path in paths)


def labelled(path: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Return texts and labels of a file in Latin-1 with a digit, a space and a text in each line.

    Raises:
        ParameterError: a line is something else.
    """
    import numpy as np

    lines = path.read_bytes().decode("latin-1").removesuffix("\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if not (line[:1] in set("012345") and line[1:2] == " " and line[2:].strip()):
            raise ParameterError(
                f"{path}, line {number}: expected a label from 0 to 5, a space and a question, got {line!r}."
            )
    labels = np.array([int(line[0]) for line in lines], dtype=np.int64)
    labels.flags.writeable = False
    return tuple(line[2:] for line in lines), labels


EXAMPLE = TREC()

"""Does a sentence praise a film? Source: Pang and Lee (2005), https://doi.org/10.3115/1219840.1219855"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, final

from pydantic import Field, model_validator

from studylib.archives import members
from studylib.datasets._splits import held_out
from studylib.datasets._words import Length, MinCount, Texts, chosen, split_of, tokenized
from studylib.datasets.base import Dataset, Split
from studylib.downloads import File, fetched
from studylib.errors import ParameterError
from studylib.seeds import numpy_generator

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

ROWS, FOLDS = 10_662, 10
LEAST = ROWS - ROWS // FOLDS - 1  # rows that are not in the largest fold
OPINIONS = ("negative", "positive")
_MEMBERS = ("sentence_polarity/rt-polarity.neg", "sentence_polarity/rt-polarity.pos")


@final
class MovieReviews(Dataset):
    """5 331 + 5 331 sentences of film reviews, praise or not, in ten folds; the seed is the fold.

    Inputs have shape (n, length) in int64: the words of a sentence by their numbers, 0 after its end and 1
    for a word that the train rows have fewer than ``min_count`` times. Seeds 0 to 9 test every row exactly
    once, in folds with the classes in equal parts; 10 to 19 are ten other folds. Validation rows are drawn
    from the nine folds that are left.
    """

    task: ClassVar[str] = "classification"
    inputs: ClassVar[str] = "text"
    files: ClassVar[tuple[File, ...]] = (
        File(
            "nltk/sentence_polarity.zip",
            "https://raw.githubusercontent.com/nltk/nltk_data/5db857e6f7df11eabb5e5665836db9ec8df07e28"
            "/packages/corpora/sentence_polarity.zip",
            "6e1ed4405b65c7eabf1d199a7f7c437091ac21da0ea7467b410a74062574566b",
            490256,
        ),
    )
    source: ClassVar[str] = (
        "Pang and Lee (2005), sentence polarity dataset v1.0, https://doi.org/10.3115/1219840.1219855, as"
        " packed by NLTK, https://www.nltk.org/nltk_data"
    )
    licence: ClassVar[str] = "CC BY 4.0"
    attribution: ClassVar[str] = (
        '"subjectivity dataset v1.0 by Bo Pang [https://sites.google.com/site/bopang42/] and Lillian Lee'
        " [http://www.cs.cornell.edu/home/llee/] is licensed under CC BY 4.0 International"
        ' [http://creativecommons.org/licenses/by/4.0/]"'
    )
    about: ClassVar[str] = (
        "10 662 sentences of 1 to 56 words, all in lower case, from reviews of films; half of them from"
        " reviews that were fresh, half from rotten ones."
    )
    not_for: ClassVar[str] = (
        "What a sentence says by itself: its label is that of the whole review. Intervals over the folds as"
        " if they were independent: any two share eight ninths of what they train on. Reviewers stand in"
        " train and test."
    )

    train: Annotated[int, Field(ge=20, description="rows to fit on; all the rest if null")] | None = None
    validation: Annotated[
        int, Field(ge=20, le=4000, description="rows that strengths and epochs are chosen on")
    ] = 960
    length: Length = 60
    min_count: MinCount = 1

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.train is not None and self.train + self.validation > LEAST:
            raise ValueError(
                f"train + validation to be at most {LEAST}"
                f" (here {self.train} + {self.validation} = {self.train + self.validation})"
            )
        return self

    def arrays(self) -> dict[str, np.ndarray]:
        """Return ``texts`` (10662,) as strings and ``labels`` (10662,), in the order of the files."""
        import numpy as np

        texts, labels = _read()
        return {"texts": np.array(texts), "labels": labels}

    def classes(self) -> tuple[str, ...]:
        """Return the two opinions."""
        return OPINIONS

    def origin(self) -> list[str]:
        """Return the hash of the archive."""
        return [file.sha256 for file in self.files]

    def split(self, seed: int) -> Split:
        """Return the fold of ``seed`` as test rows, and train and validation rows of the others."""
        import numpy as np

        texts, labels = _read()
        given = Texts(tokenized(texts), labels)
        fold = folds(seed // FOLDS, labels) == seed % FOLDS
        others = np.flatnonzero(~fold)
        train, validation = held_out(seed, labels[others], self.train, self.validation)
        parts = (others[train], others[validation], np.flatnonzero(fold))
        return split_of((chosen(given, part) for part in parts), self.min_count, self.length, len(OPINIONS))


def folds(seed: int, labels: np.ndarray) -> np.ndarray:
    """Return the fold, 0 to 9, of each row: drawn by ``seed``, the classes in equal parts in each."""
    import numpy as np

    order = numpy_generator(seed, "split").permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    number = np.empty(len(labels), dtype=np.int64)
    number[by_class] = np.arange(len(labels)) % FOLDS
    return number


def _read() -> tuple[tuple[str, ...], np.ndarray]:
    return _unpacked(fetched(MovieReviews.files[0]))


@lru_cache(maxsize=1)
def _unpacked(path: Path) -> tuple[tuple[str, ...], np.ndarray]:
    import numpy as np

    found = [body.decode().removesuffix("\n").split("\n") for body in members(path, _MEMBERS).values()]
    if [len(lines) for lines in found] != [ROWS // 2] * 2:
        sizes = " and ".join(str(len(lines)) for lines in found)
        raise ParameterError(
            f"{path}: expected twice {ROWS // 2} lines in {' and '.join(_MEMBERS)}, got {sizes}."
        )
    labels = np.repeat(np.arange(len(OPINIONS)), ROWS // 2)
    labels.flags.writeable = False
    return tuple(line for lines in found for line in lines), labels


EXAMPLE = MovieReviews()

"""Words of a text, their numbers, and a split of texts whose vocabulary is that of its train rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, NamedTuple, final

from pydantic import Field

from studylib.datasets.base import Examples, Split

if TYPE_CHECKING:
    import numpy as np

MASK = "<library>"  # a word of its own
_WORD = re.compile(rf"{MASK}|[^\W_]+(?:'[^\W_]+)?")
_STRANGE = re.compile(r"[^\w(),!?'`]|_")
_PART = re.compile(r"n't\b|'(?:s|ve|re|d|ll)\b|[(),!?]")

Length = Annotated[int, Field(ge=4, le=500, description="words of a row that are kept")]
MinCount = Annotated[int, Field(ge=1, description="how often train must have a word to number it")]


@final
class Texts(NamedTuple):
    """Rows of words, and their class numbers (n,)."""

    rows: Sequence[Sequence[str]]
    labels: np.ndarray


def words(text: str) -> tuple[str, ...]:
    """Return the lower-case words of a text, masks among them, without punctuation."""
    return tuple(_WORD.findall(text.lower()))


def tokens(text: str) -> tuple[str, ...]:
    """Return the words of a text and its marks ``( ) , ! ?``, ``isn't`` as ``is`` and ``n't``, in lower case.

    As in the code of Kim (2014), https://doi.org/10.3115/v1/D14-1181, but letters with accents are kept.
    """
    return tuple(_PART.sub(r" \g<0> ", _STRANGE.sub(" ", text.lower())).split())


@lru_cache(maxsize=8)
def tokenized(texts: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return the tokens of each text; those of the same texts are known the next time."""
    return tuple(map(tokens, texts))


def vocabulary(rows: Iterable[Sequence[str]], min_count: int) -> dict[str, int]:
    """Number the words from 2 on, the most frequent first, and of equally frequent ones by the alphabet."""
    counts = Counter(word for row in rows for word in row)
    known = sorted((-count, word) for word, count in counts.items() if count >= min_count)
    return {word: number for number, (_, word) in enumerate(known, start=2)}


def encode(rows: Sequence[Sequence[str]], numbers: dict[str, int], length: int) -> np.ndarray:
    """Return the first ``length`` words of each row as numbers: 1 for an unknown one, 0 after the end."""
    import numpy as np

    x = np.zeros((len(rows), length), dtype=np.int64)
    for row, line in zip(rows, x, strict=True):
        kept = row[:length]
        line[: len(kept)] = [numbers.get(word, 1) for word in kept]
    return x


def chosen(texts: Texts, rows: np.ndarray) -> Texts:
    """Return some rows of ``texts``, in that order."""
    return Texts([texts.rows[row] for row in rows], texts.labels[rows])


def split_of(parts: Iterable[Texts], min_count: int, length: int, classes: int) -> Split:
    """Return the split into train, validation and test; the words that have numbers are those of train."""
    train, *others = parts
    numbers = vocabulary(train.rows, min_count)
    fitted, checked, tested = (
        Examples(encode(part.rows, numbers, length), part.labels.copy()) for part in (train, *others)
    )
    shape = (len(numbers) + 2, length)
    return Split(fitted, checked, tested, shape, outputs=classes, vocabulary=tuple(numbers))

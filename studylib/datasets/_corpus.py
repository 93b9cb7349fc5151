"""Texts of one's own as numbers of words, read once and kept in the store."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, final

from studylib.datasets import _cells, _scripts, _tables
from studylib.datasets._cache import stored
from studylib.datasets.base import Examples, Split
from studylib.places import store_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from studylib.datasets._splits import Parts
    from studylib.datasets._tables import Table

NONE = -1  # where a text has ended


@final
@dataclass(frozen=True)
class Corpus:
    """Texts and their labels.

    Attributes:
        words: all that occur, by the alphabet.
        codes: (n, length), int32: which word stands where, −1 after the end.
        cut: (n,), bool: whether a text goes on after that.
        groups: (n,), int64: equal for texts that differ in case and spaces at most.
        classes: the labels.
        labels: (n,), int64: which of them.
        first: the row of the first text, as a spreadsheet counts.
    """

    words: tuple[str, ...]
    codes: np.ndarray
    cut: np.ndarray
    groups: np.ndarray
    classes: tuple[str, ...]
    labels: np.ndarray
    first: int

    def lengths(self) -> np.ndarray:
        """Return how many words of each text are kept, shape (n,)."""
        counts: np.ndarray = (self.codes != NONE).sum(axis=1)
        return counts

    def split(self, parts: Parts, min_count: int) -> Split:
        """Return the split into ``parts``, with numbers for words that train has ``min_count`` times.

        The most frequent is 2, and of equally frequent ones the first by the alphabet; 1 is an unknown word.
        """
        import numpy as np

        learnt = self.codes[parts.train]
        counts = np.bincount(learnt[learnt != NONE], minlength=len(self.words))
        known = np.lexsort((np.arange(len(counts)), -counts))[: int((counts >= min_count).sum())]
        numbers = np.ones(len(counts) + 1, dtype=np.int64)
        numbers[known] = np.arange(2, 2 + len(known))
        numbers[NONE] = 0
        train, validation, test = (Examples(numbers[self.codes[rows]], self.labels[rows]) for rows in parts)
        shape = (len(known) + 2, self.codes.shape[1])
        vocabulary = tuple(self.words[number] for number in known)
        return Split(train, validation, test, shape, len(self.classes), vocabulary=vocabulary)


@lru_cache(maxsize=2)
def corpus_of(path: str, content: str, text: str, label: str, length: int) -> Corpus:
    """Return the texts of the column ``text`` with the ``label`` beside them, of a file of that ``content``.

    Raises:
        ParameterError: the file, the row and the column, what was expected and what was found.
    """
    code = [Path(module.__file__ or "").read_text(encoding="utf-8") for module in (_scripts, _cells, _tables)]
    decides = [content, text, label, str(length), Path(__file__).read_text(encoding="utf-8"), *code]
    found = stored(store_folder(), "texts", decides, lambda: _read(path, text, label, length))
    for array in found.values():
        array.flags.writeable = False
    words, classes = (tuple(found[name].tobytes().decode().split("\n")) for name in ("words", "classes"))
    rest = {name: found[name] for name in ("codes", "cut", "groups", "labels")}
    return Corpus(words=words, classes=classes, first=int(found["first"]), **rest)


def _read(path: str, text: str, label: str, length: int) -> dict[str, np.ndarray]:
    import numpy as np

    table = _tables.read(path, {"text": text, "label": label})
    texts = table.texts("text")
    _refuse_numbers(table, texts)
    classes, labels = table.levels("label")
    _refuse_classes(table, classes, labels)
    rows = [_scripts.words(one, length + 1) for one in texts]
    words = sorted({word for row in rows for word in row[:length]})
    if not words:
        raise table.place("text").whole("no text holds a word. Set dataset.text to another column.")
    codes = _coded(rows, {word: number for number, word in enumerate(words)}, length)
    return {
        "words": _joined(words),
        "codes": codes,
        "cut": np.array([len(row) > length for row in rows]),
        "groups": _groups(texts),
        "classes": _joined([" ".join(name.split()) for name in classes]),
        "labels": labels,
        "first": np.array(table.first),
    }


def _coded(rows: Sequence[Sequence[str]], numbers: dict[str, int], length: int) -> np.ndarray:
    import numpy as np

    codes = np.full((len(rows), length), NONE, dtype=np.int32)
    for row, line in zip(rows, codes, strict=True):
        kept = row[:length]
        line[: len(kept)] = [numbers[word] for word in kept]
    return codes


def _groups(texts: Sequence[str]) -> np.ndarray:
    import numpy as np

    known: dict[bytes, int] = {}
    keys = (sha256(" ".join(one.split()).casefold().encode(errors="replace")).digest() for one in texts)
    return np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)


def _joined(texts: Sequence[str]) -> np.ndarray:
    import numpy as np

    return np.frombuffer("\n".join(texts).encode(errors="replace"), dtype=np.uint8)


def _refuse_numbers(table: Table, texts: Sequence[str]) -> None:
    if all(map(_cells.is_number, texts)):
        raise table.place("text").whole(
            f"expected texts, got numbers in every row, such as {texts[0]!r}. Set dataset.text to another."
        )


def _refuse_classes(table: Table, classes: Sequence[str], labels: np.ndarray) -> None:
    place = table.place("label")
    if len(classes) < 2:
        raise place.whole(f"every row is of the class {classes[0]!r}: there is nothing to tell apart.")
    if len(classes) > max(2, len(labels) // 2):
        raise place.whole(
            f"{len(classes):,} different classes in {len(labels):,} rows: is it an id, or a number?"
            " Set dataset.label to another column."
        )

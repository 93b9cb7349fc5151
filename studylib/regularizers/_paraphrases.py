"""Paraphrases, as a text file has them and as the numbers of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from studylib.errors import ParameterError
from studylib.regularizers._text import PADDING, UNKNOWN

if TYPE_CHECKING:
    import numpy as np

Pair: TypeAlias = tuple[list[str], list[str]]
Row: TypeAlias = tuple[int, ...]


def pairs(body: bytes, where: str) -> list[Pair]:
    """Return the words of sentence and paraphrase on each line ``sentence<TAB>paraphrase`` of a file.

    Raises:
        ParameterError: it is no text in UTF-8, a line is something else, or there is none.
    """
    try:
        lines = body.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{where}: expected text in UTF-8, but {error}.") from None
    if lines == [""]:
        raise ParameterError(f"{where}: expected lines of sentence<TAB>paraphrase, and the file is empty.")
    found = []
    for number, line in enumerate(lines, start=1):
        parts = [part.split() for part in line.split("\t")]
        if len(parts) != 2 or not all(parts):
            raise ParameterError(f"{where}, line {number}: expected sentence<TAB>paraphrase, got {line!r}.")
        found.append((parts[0], parts[1]))
    return found


def table(x: np.ndarray, vocabulary: Sequence[str], known: Sequence[Pair]) -> np.ndarray:
    """Return the paraphrases of each row of ``x``, as ``base.Paraphrasing.paraphrases`` says."""
    import numpy as np

    numbers = {word: number for number, word in enumerate(vocabulary, start=2)}
    length = x.shape[1]
    of_row: dict[Row, dict[Row, None]] = {}  # each paraphrase once, in the order of the file
    for sentence, paraphrase in known:
        row, other = (_encoded(words, numbers, length) for words in (sentence, paraphrase))
        if other != row:
            of_row.setdefault(row, {})[other] = None
    own = [list(of_row.get(tuple(row), ())) for row in x.tolist()]
    rows = np.zeros((len(x), max(1, *map(len, own), 0), length), dtype=np.int64)
    for number, others in enumerate(own):
        rows[number, : len(others)] = np.array(others, dtype=np.int64).reshape(-1, length)
    return rows


def told(x: np.ndarray, vocabulary: Sequence[str]) -> str:
    """Return the first row of ``x`` in words."""
    words = ["", "<unknown>", *vocabulary]
    return " ".join(words[number] for number in x[0].tolist() if number != PADDING) if len(x) else ""


def _encoded(words: Sequence[str], numbers: dict[str, int], length: int) -> Row:
    kept = [numbers.get(word, UNKNOWN) for word in words[:length]]
    return (*kept, *[PADDING] * (length - len(kept)))

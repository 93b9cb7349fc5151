"""What of texts is likely to mislead: words that give the label away, texts that are cut or say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from studylib.inspection.finding import Finding

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Dataset, Split

SURE = 0.99  # of the texts with the word are of one class
MOST = 0.5  # of that class have it
NAMED = 5  # words that are told
MANY = 0.2  # of all texts


def findings(dataset: Dataset, split: Split) -> list[Finding]:
    """Return what was found in the texts of a split; nothing for other data."""
    if dataset.inputs != "text" or not split.classified:
        return []
    return [*_lengths(split), *_giveaways(dataset, split)]


def _lengths(split: Split) -> Iterator[Finding]:
    parts = (split.train, split.validation, split.test)
    rows = sum(map(len, parts))
    full = sum(int((part.x[:, -1] != 0).sum()) for part in parts)
    if full > MANY * rows:
        length = split.inputs[1]
        yield Finding(
            "cut",
            f"{full / rows:.0%} of the texts have {length} words or more, and the first {length} are read.",
            f"--set dataset.length={min(500, 2 * length)}",
        )
    silent = sum(int((part.x <= 1).all(axis=1).sum()) for part in parts)
    if silent:
        yield Finding("empty", f"{silent:,} texts have no word that the train rows know.", "Look at them.")


def _giveaways(dataset: Dataset, split: Split) -> Iterator[Finding]:
    import numpy as np

    table = counted(split)
    of_word, of_class = table.sum(axis=1), np.bincount(split.train.y, minlength=split.outputs)
    best = table.argmax(axis=1)
    held = table[np.arange(len(table)), best]
    sure = (held >= SURE * np.maximum(of_word, 1)) & (held >= MOST * of_class[best]) & (held >= NAMED)
    order = np.flatnonzero(sure)[np.argsort(-held[sure], kind="stable")]
    for word in order[:NAMED]:
        share, name = held[word] / of_class[best[word]], dataset.classes()[best[word]]
        yield Finding(
            "leakage?",
            f"{split.vocabulary[word]!r} is in {share:.0%} of the texts of the class {name!r}"
            f" and in {of_word[word] - held[word]:,} others: does it quote the label?",
            "If it is known only with the label, take it out of the texts.",
        )


def counted(split: Split) -> np.ndarray:
    """Return how many train texts of each class have each word, shape (vocabulary, classes)."""
    import numpy as np

    x, y = split.train.x, split.train.y
    known = x >= 2
    rows = np.broadcast_to(np.arange(len(x))[:, None], x.shape)[known]
    pairs = np.unique(np.stack([rows, x[known] - 2]), axis=1)
    table = np.zeros((len(split.vocabulary), split.outputs), dtype=np.int64)
    np.add.at(table, (pairs[1], y[pairs[0]]), 1)
    return table

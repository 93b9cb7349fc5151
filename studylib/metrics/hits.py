"""Which of the items that are recommended are relevant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

TOP = 20


def hits(scores: np.ndarray, relevant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each row that has a relevant item, what its 20 best items are, and what it could have.

    Args:
        scores: shape (rows, items), higher is better; −inf for what must not be recommended (train items).
        relevant: shape (rows, items), bool: what should have been recommended.

    Returns:
        Whether each of the 20 best scored is relevant, best first, bool (asked rows, 20), and how many
        relevant items there are (asked rows,). Of equal scores the first item wins.
    """
    asked = relevant.any(1)
    return _best(scores[asked], relevant[asked]), relevant[asked].sum(1)


def _best(scores: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    import numpy as np

    count = min(TOP, scores.shape[1])
    some = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)
    values = np.take_along_axis(scores, some, axis=1)
    best = np.take_along_axis(some, np.argsort(-values, axis=1, kind="stable"), axis=1)
    # Among equal scores the first item wins; a partition alone would let the processor choose.
    tied = (scores >= values.min(1, keepdims=True)).sum(1) > count
    best[tied] = np.argsort(-scores[tied], axis=1, kind="stable")[:, :count]
    return np.take_along_axis(relevant, best, axis=1)

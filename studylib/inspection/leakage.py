"""Columns that may hold the answer: the target itself, scaled or renamed, or what is known only after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.inspection.finding import Finding, left_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from studylib.datasets.base import Dataset, Split

SUSPICIOUS = 0.999  # correlation, or share of the target that a column explains
MOST_ROWS = 200_000  # that are looked at
SIMILAR = 2  # rows of one value, on average, from which a column's values can explain


def of_inputs(dataset: Dataset, split: Split) -> list[Finding]:
    """Return the suspects among the inputs of a table; nothing for other inputs."""
    if dataset.inputs != "tables":
        return []
    columns = ((name, split.train.x[:, number]) for number, name in enumerate(dataset.columns()))
    classified = split.classified
    found = [suspicion(name, column, split.train.y, classified=classified) for name, column in columns]
    return [one for one in found if one]


def suspicion(name: str, column: np.ndarray, target: np.ndarray, *, classified: bool) -> Finding | None:
    """Return why ``column``, shape (n,), may hold the ``target``, shape (n,); None if it does not seem to.

    Missing cells are NaN, and left out. Of a regression it is suspicious that the correlation, or that of
    the ranks, is above .999, or that the values of the column explain as much; of classes, that each value
    has one class, or that the classes follow each other along the column.
    """
    import numpy as np

    kept = np.flatnonzero(~np.isnan(column))
    kept = kept[np.linspace(0, len(kept) - 1, min(len(kept), MOST_ROWS)).astype(int)] if len(kept) else kept
    x, y = column[kept].astype(np.float64), target[kept]
    if len(x) < 10 or x.min() == x.max() or y.min() == y.max():
        return None
    reason = _of_classes(x, y) if classified else _of_numbers(x, y)
    if not reason:
        return None
    advice = f"If it is known only with the target: {left_out(name)}"
    return Finding("leakage?", f"{name!r} {reason}", advice)


def _of_numbers(x: np.ndarray, y: np.ndarray) -> str:
    import numpy as np

    if np.array_equal(x, y):
        return "equals the target."
    straight = abs(float(np.corrcoef(x, y)[0, 1]))
    if straight > SUSPICIOUS:
        return f"is the target on another scale (correlation {straight:.4f})."
    ranks = abs(float(np.corrcoef(_ranks(x), _ranks(y))[0, 1]))
    if ranks > SUSPICIOUS:
        return f"orders the rows as the target does (rank correlation {ranks:.4f})."
    values, codes = np.unique(x, return_inverse=True)
    if len(values) * SIMILAR > len(x):
        return ""
    means = np.bincount(codes, y) / np.bincount(codes)
    explained = 1 - float(((y - means[codes]) ** 2).mean() / y.var())
    return (
        f"determines the target: its values explain {explained:.2%} of it." if explained > SUSPICIOUS else ""
    )


def _of_classes(x: np.ndarray, y: np.ndarray) -> str:
    import numpy as np

    pairs = np.unique(np.column_stack([x, y]), axis=0)
    values = len(np.unique(x))
    classes = len(np.unique(y))
    if len(pairs) > values:
        return ""
    if values == classes:
        return "is the target under other names: each of its values has one class, and each class one value."
    if values * SIMILAR <= len(x):
        return f"determines the target: each of its {values:,} values has one class."
    ordered = y[np.argsort(x, kind="stable")]
    if np.count_nonzero(np.diff(ordered)) == classes - 1:
        return "separates the classes without a mistake."
    return ""


def _ranks(values: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    ranks: np.ndarray = rankdata(values)
    return ranks


def equal_columns(columns: Sequence[tuple[str, np.ndarray]]) -> list[Finding]:
    """Return columns that are copies of an earlier one."""
    from hashlib import sha256

    first: dict[bytes, str] = {}
    found = []
    for name, column in columns:
        digest = sha256(column.tobytes()).digest()
        if digest in first:
            text = f"{name!r} is a copy of {first[digest]!r}."
            found.append(Finding("copy", text, left_out(name)))
        first.setdefault(digest, name)
    return found

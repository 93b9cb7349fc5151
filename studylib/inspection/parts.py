"""What any dataset shows in its split of seed 0: sizes, balance of classes, rows that are there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.inspection.finding import Finding

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Dataset, Split

RARE = 0.1  # of the largest class, below which one is told to be rare
NAMED = 8  # classes that are named
PARTS = ("train", "validation", "test")


def facts(dataset: Dataset, split: Split) -> list[str]:
    """Return rows per part, shape, and how many rows each class has."""
    sizes = ", ".join(f"{len(getattr(split, name)):,} {name}" for name in PARTS)
    lines = [f"rows of seed 0: {sizes}; shape {' × '.join(map(str, split.inputs))}"]
    if split.classified:
        counts, names = _counts(split), dataset.classes()
        order = sorted(range(len(counts)), key=lambda number: -counts[number])
        named = [f"{names[number]} {counts[number] / sum(counts):.1%}" for number in order[:NAMED]]
        more = f" and {len(order) - NAMED} more" if len(order) > NAMED else ""
        lines.append(f"classes: {', '.join(named)}{more}")
    return lines


def findings(dataset: Dataset, split: Split) -> list[Finding]:
    """Return rare classes, and rows that are the same in different parts or with different targets."""
    found = _imbalance(dataset, split) if split.classified else []
    if dataset.inputs != "series":  # whose windows overlap, and are cut in time
        found += _duplicates(split)
    return found


def _counts(split: Split) -> list[int]:
    import numpy as np

    labels = np.concatenate([getattr(split, part).y for part in PARTS])
    counts: list[int] = np.bincount(labels, minlength=split.outputs).tolist()
    return counts


def _imbalance(dataset: Dataset, split: Split) -> list[Finding]:
    counts = _counts(split)
    rare = [name for name, count in zip(dataset.classes(), counts, strict=True) if count < RARE * max(counts)]
    if not rare:
        return []
    share = max(counts) / sum(counts)
    return [
        Finding(
            "balance",
            f"{', '.join(rare[:NAMED])} {'are' if rare[1:] else 'is'} rare; who always says"
            f" {dataset.classes()[counts.index(max(counts))]!r} is right in {share:.1%} of the rows.",
            "The loss tells more than the accuracy: --set metric=test_nll",
        )
    ]


def _duplicates(split: Split) -> list[Finding]:
    import numpy as np

    hashes = [_hashed(getattr(split, part).x) for part in PARTS]
    targets = np.concatenate([getattr(split, part).y for part in PARTS])
    _, first, back = np.unique(np.concatenate(hashes), return_index=True, return_inverse=True)
    again = first[back] != np.arange(len(back))
    if not again.any():
        return []
    equal = int((again & (targets == targets[first[back]])).sum())
    known = int(np.isin(hashes[2], np.concatenate(hashes[:2])).sum())
    text = f"{_rows(int(again.sum()))} with the inputs of an earlier one, {equal:,} with its target too;"
    found = [Finding("duplicates", f"{text} {known:,} of the {len(hashes[2]):,} test rows were seen before.")]
    odd = int((np.bincount(back, targets != targets[first[back]]) > 0).sum())
    if odd and split.classified:
        found.append(Finding("conflicts", f"{odd:,} of those inputs have different classes."))
    return found


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _hashed(x: np.ndarray) -> np.ndarray:
    """Return a number for each row: equal rows have equal ones, and others with a chance of 1 in 2⁶⁴."""
    import numpy as np
    from pandas.util import hash_array

    total = np.zeros(len(x), dtype=np.uint64)
    flat = x.reshape(len(x), -1)
    for column in range(flat.shape[1]):
        own = hash_array(np.ascontiguousarray(flat[:, column] + flat.dtype.type(0)))
        total = total * np.uint64(0x9E3779B97F4A7C15) + own
    return total

"""What interactions show before anything is run: how full the table is, who is rare, what train never saw."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from studylib.datasets.ratings_csv import RatingsCsv
from studylib.inspection.finding import Finding

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Dataset, Split

RARE = 3  # interactions, with fewer of which nothing can be held out and something be left
SPARSE = 0.01  # of all pairs
LARGE = 2**28  # scores that a ranking has to look at
BARS = 10  # of the histogram
FULL = 20  # characters of the longest bar


def findings(dataset: Dataset, split: Split) -> list[Finding]:
    """Return what is likely to mislead in interactions; nothing for other inputs."""
    if dataset.inputs != "interactions":
        return []
    counts = _counts(dataset)
    found = [_spread(counts, split), *_rare(counts, dataset), _unseen(split), _doubled(dataset)]
    found += [_histogram(dataset.arrays()["ratings"])] if dataset.task == "rating" else [_heavy(split)]
    return [one for one in found if one]


def _counts(dataset: Dataset) -> dict[str, np.ndarray]:
    import numpy as np

    pairs = dataset.arrays()["interactions"]
    return {who: np.bincount(pairs[:, side]) for side, who in enumerate(("users", "items"))}


def _spread(counts: dict[str, np.ndarray], split: Split) -> Finding:
    import numpy as np

    total, pairs = int(counts["users"].sum()), split.inputs[0] * split.inputs[1]
    told = "; ".join(
        f"{len(count):,} {who} with {count.min():,} to {count.max():,}, half of them with at most"
        f" {int(np.median(count)):,}"
        for who, count in counts.items()
    )
    share = total / pairs
    advice = (
        "Most pairs are unknown: strong penalties and few factors are worth a try." if share < SPARSE else ""
    )
    return Finding("interactions", f"{total:,}, {share:.2%} of all pairs; {told}.", advice)


def _rare(counts: dict[str, np.ndarray], dataset: Dataset) -> list[Finding]:
    found = []
    for who, count in counts.items():
        rare = int((count < RARE).sum())
        if rare:
            text = f"{rare:,} of {len(count):,} {who} have fewer than {RARE} interactions."
            own = isinstance(dataset, RatingsCsv)
            advice = f"To leave out {who} with fewer: --set dataset.core={RARE}" if own else ""
            found.append(Finding("rare", text, advice))
    return found


def _unseen(split: Split) -> Finding | None:
    import numpy as np

    known = [np.bincount(split.train.x[:, side], minlength=size) for side, size in enumerate(split.inputs)]
    lost = [int((count[split.test.x[:, side]] == 0).sum()) for side, count in enumerate(known)]
    if not any(lost):
        return None
    return Finding(
        "unseen",
        f"Of {len(split.test):,} test interactions {lost[0]:,} are of users and {lost[1]:,} of items that"
        " train does not hold.",
        "A rating is then the mean and the bias of the other side; in a ranking the item stands by chance.",
    )


def _doubled(dataset: Dataset) -> Finding | None:
    if not isinstance(dataset, RatingsCsv) or not dataset.doubled():
        return None
    which = "latest" if dataset.time else "last in the file"
    return Finding(
        "duplicates",
        f"{dataset.doubled():,} rows are of a user and an item that have another row; the {which} counts.",
        "" if dataset.time else "Is there a column that says when? --set dataset.time=<column>",
    )


def _histogram(values: np.ndarray) -> Finding:
    import numpy as np

    different = np.unique(values)
    if len(different) <= BARS:
        counts = [int((values == value).sum()) for value in different]
        names = [f"{value:g}" for value in different]
    else:
        counts, edges = (one.tolist() for one in np.histogram(values, BARS))
        names = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    width = max(map(len, names))
    bars = (
        f"{name:>{width}}  {'▇' * max(1, round(FULL * count / max(counts)))} {count:,}"
        for name, count in zip(names, counts, strict=True)
    )
    lines = "\n    ".join(bars)
    return Finding(
        "ratings", f"mean {values.mean():.3g}, standard deviation {values.std():.3g}.\n    {lines}"
    )


def _heavy(split: Split) -> Finding | None:
    scores = split.inputs[0] * split.inputs[1]
    if scores < LARGE:
        return None
    return Finding(
        "size",
        f"A ranking scores each of {split.inputs[1]:,} items for each of {split.inputs[0]:,} users:"
        f" {scores / 1e9:.1f} billion scores, in every fit.",
        "Leave out the rare: --set dataset.core=5",
    )

"""What of a folder of images is likely to mislead: blank or small ones, and files that betray their class."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from studylib.datasets.image_folder import ImageFolder
from studylib.inspection.finding import Finding

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets._pictures import Seen
    from studylib.datasets.base import Dataset

PURE = 0.99  # share of the images that are of the usual class of their kind of file
LONG = 3  # times as long as wide


def findings(dataset: Dataset) -> list[Finding]:
    """Return what was found of one's own images; nothing for other data."""
    if not isinstance(dataset, ImageFolder):
        return []
    arrays, seen = dataset.arrays(), dataset.seen()
    return [*_of_sizes(dataset, seen), *_blank(arrays["images"]), *_betrayals(seen, arrays["labels"])]


def _of_sizes(dataset: ImageFolder, seen: Sequence[Seen]) -> Iterator[Finding]:
    small = sum(min(one.width, one.height) < dataset.size for one in seen)
    if small:
        yield Finding(
            "small",
            f"{small:,} of {len(seen):,} images have a side below {dataset.size} pixels, and are enlarged.",
            f"--set dataset.size={max(8, min(min(one.width, one.height) for one in seen))}",
        )
    long = sum(max(one.width, one.height) > LONG * min(one.width, one.height) for one in seen)
    if long and dataset.shape == "crop":
        yield Finding(
            "cut off",
            f"{long:,} of {len(seen):,} images are over {LONG} times as long as wide; the middle is kept.",
            "--set dataset.shape=pad",
        )
    grey = sum(one.mode in {"1", "L", "LA", "I", "I;16"} for one in seen)
    if grey == len(seen) and dataset.colour == "rgb":
        yield Finding("grey", "no image has a colour.", "--set dataset.colour=grey")


def _blank(images: np.ndarray) -> Iterator[Finding]:
    import numpy as np

    flat = images.reshape(len(images), images.shape[1], -1)
    blank = int((np.ptp(flat, axis=2).max(axis=1) == 0).sum())
    if blank:
        yield Finding(
            "blank", f"{blank:,} images are of one colour all over.", "Look at them, and remove them."
        )


def _betrayals(seen: Sequence[Seen], labels: np.ndarray) -> Iterator[Finding]:
    kinds: dict[str, Callable[[Seen], Any]] = {
        "format": lambda one: one.format,
        "size": lambda one: (one.width, one.height),
        "mode of colour": lambda one: one.mode,
    }
    for name, kind in kinds.items():
        share, usual = _told([kind(one) for one in seen], labels)
        if share >= PURE and usual < PURE:
            yield Finding(
                "leakage?",
                f"the {name} of its file tells the class of {share:.1%} of the images: a model may learn"
                " where they came from, and not what they show.",
                "Bring images of all classes from the same sources, in the same format.",
            )


def _told(kinds: Sequence[Any], labels: np.ndarray) -> tuple[float, float]:
    """Return the share of images whose class is the usual one of their kind, and that of the largest class.

    A kind that few images are of says nothing: such images are left out.
    """
    import numpy as np

    known = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
    table = np.zeros((len(known), int(labels.max()) + 1), dtype=np.int64)
    np.add.at(table, (np.array([known[kind] for kind in kinds]), labels), 1)
    common = table[table.sum(axis=1) >= max(5, len(labels) // 100)]
    if not len(common) or common.sum() < len(labels) / 2:
        return 0.0, 1.0
    return float(common.max(axis=1).sum() / common.sum()), float(common.sum(axis=0).max() / common.sum())

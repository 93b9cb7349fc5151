"""What is measured of recommendations on train, validation and test interactions: rankings and ratings.

The scores of all rows with all items need not fit into memory: they are looked at some rows at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING, Protocol, final

import numpy as np

from studylib import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from studylib.datasets.base import Split
    from studylib.trainers.measures import Measured

FIFTHS = 5
CUTOFF = 20
BLOCK = 2**24  # scores that are looked at at once
# whose loss is looked at, spread evenly over those of a part: each is held against every item
MONITORED_INTERACTIONS = 20_000
PARTS = ("train", "validation", "test")


class Scores(Protocol):
    """Scores of rows with items, some rows at a time: an array, or what makes one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and of items."""

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Return the scores of some rows with all items."""


@final
@dataclass(frozen=True)
class _Seen:
    """What was seen of one part, block by block."""

    hits: list[np.ndarray] = field(default_factory=list)
    relevant: list[np.ndarray] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def metrics(self) -> dict[str, float]:
        return metrics.of_hits(np.concatenate(self.hits), np.concatenate(self.relevant))


def ranked(scores: Scores, split: Split) -> Measured:
    """Return metrics and curves of ``scores``.

    A part is ranked among the items that no earlier part's interaction has used up. ``<part>_loss`` is the
    mean over the part's interactions (row, i), and over every such item j but i that the row has no train
    interaction with, of −log σ(score(row, i) − score(row, j)), without any penalty: what the trainer samples,
    in nats. Of more than 20 000 interactions as many are looked at, evenly spread.
    """
    looked = {part: _monitored(getattr(split, part).x) for part in PARTS}
    seen = {part: _Seen() for part in PARTS}
    found = np.zeros(len(split.test), dtype=bool)
    for rows in _blocks(scores.shape):
        open_scores = _look(scores[rows], rows, split, looked, seen)
        here, pairs = _within(split.test.x, rows)
        found[here] = among_best(open_scores)[pairs[:, 0], pairs[:, 1]]
    measured: dict[str, float] = {}
    for part, own in seen.items():
        measured |= {f"{part}_{name}": value for name, value in own.metrics().items()}
        measured[f"{part}_loss"] = sum(own.losses) / len(looked[part])
    measured |= _gap(measured)
    names = ("recall_by_user_activity", "recall_by_popularity")
    return measured, {name: recall_by_fifth(found, split, side) for side, name in enumerate(names)}


def _gap(measured: dict[str, float]) -> dict[str, float]:
    return {"loss_gap": measured["validation_loss"] - measured["train_loss"]}


def _blocks(shape: tuple[int, ...]) -> Iterator[slice]:
    rows, items = shape
    size = max(1, BLOCK // items)
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def _within(pairs: np.ndarray, rows: slice) -> tuple[np.ndarray, np.ndarray]:
    """Return which pairs are of those rows, and these pairs with the rows counted from the first of them."""
    here = (pairs[:, 0] >= rows.start) & (pairs[:, 0] < rows.stop)
    return here, pairs[here] - (rows.start, 0)


def _look(
    scores: np.ndarray,
    rows: slice,
    split: Split,
    looked: dict[str, np.ndarray],
    seen: dict[str, _Seen],
) -> np.ndarray:
    """Add what some rows' scores are like to ``seen``; return them, −∞ where train or validation were."""
    open_scores = scores.copy()
    learnt = _marked(_within(split.train.x, rows)[1], scores.shape)
    for part, before in (("train", None), ("validation", split.train), ("test", split.validation)):
        if before is not None:
            used = _within(before.x, rows)[1]
            open_scores[used[:, 0], used[:, 1]] = -np.inf
        relevant = _marked(_within(getattr(split, part).x, rows)[1], scores.shape)
        hits, count = metrics.hits(open_scores, relevant)
        closed = learnt | np.isneginf(open_scores)
        own = seen[part]
        own.hits.append(hits)
        own.relevant.append(count)
        own.losses.append(pairwise_losses(scores, _within(looked[part], rows)[1], closed))
    return open_scores


def _marked(interactions: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    marked = np.zeros(shape, dtype=bool)
    marked[interactions[:, 0], interactions[:, 1]] = True
    return marked


def _monitored(interactions: np.ndarray) -> np.ndarray:
    count = min(len(interactions), MONITORED_INTERACTIONS)
    chosen: np.ndarray = interactions[np.linspace(0, len(interactions) - 1, count).round().astype(int)]
    return chosen


def pairwise_losses(scores: np.ndarray, interactions: np.ndarray, closed: np.ndarray) -> float:
    """Return the sum over interactions of the mean of −log σ(score(row, i) − score(row, j)), in nats.

    Args:
        scores: shape (rows, items).
        interactions: pairs (row, i), shape (n, 2).
        closed: shape (rows, items), bool: the items that are no j of that row; nor is i.
    """
    import torch
    from torch.nn import functional as F

    table = torch.from_numpy(np.where(closed, -np.inf, scores))  # which a closed item loses nothing by
    opened = torch.from_numpy((~closed).sum(1))
    total = 0.0
    # what is held against all items at once stays in the cache
    for part in torch.from_numpy(interactions).split(max(1, 2**16 // scores.shape[1])):
        rows, items = part.T
        own = torch.from_numpy(scores)[rows, items]
        losses = F.softplus(table[rows].sub_(own[:, None])).sum(1).double()
        itself = table[rows, items].isfinite()
        others = (opened[rows] - itself.long()).clamp(min=1)
        total += float(((losses - itself.double() * log(2)) / others).sum())
    return total


def recall_by_fifth(found: np.ndarray, split: Split, side: int) -> list[float]:
    """Return the share of test interactions that were ``found`` (n,), by fifths of rows (0) or of items (1).

    The first fifth holds those with the fewest train interactions; one that no test interaction falls into
    has 0.
    """
    counts = np.bincount(split.train.x[:, side], minlength=split.inputs[side])
    bin_of = _fifths(counts)[split.test.x[:, side]]
    total = np.bincount(bin_of, minlength=FIFTHS)
    hits = np.bincount(bin_of, found, minlength=FIFTHS)
    shares: list[float] = (hits / np.maximum(1, total)).tolist()
    return shares


def _fifths(counts: np.ndarray) -> np.ndarray:
    """Return in which fifth each stands, 0 the smallest counts; of equal counts the first is lower."""
    bins = np.empty(len(counts), dtype=int)
    bins[np.argsort(counts, kind="stable")] = np.arange(len(counts)) * FIFTHS // len(counts)
    return bins


def among_best(scores: np.ndarray) -> np.ndarray:
    """Tell which items are among the 20 best scored of their row; of equal scores the first item wins."""
    count = min(CUTOFF, scores.shape[1])
    best: np.ndarray = scores >= np.partition(scores, -count, axis=1)[:, [-count]]
    tied = best.sum(1) > count
    order = np.argsort(-scores[tied], axis=1, kind="stable")
    best[tied] = np.argsort(order, axis=1) < count
    return best


def rated(predict: Callable[[np.ndarray], np.ndarray], split: Split) -> Measured:
    """Return metrics and curves of a predictor of ratings.

    Predictions are brought into the range of the train ratings, as every metric has them; ``<part>_loss`` is
    the mean squared error without that, and without any penalty. ``test_unseen_share`` is the share of test
    ratings whose row or item train does not hold, ``guess_loss`` the validation loss of the mean of train.
    ``error_by_user_activity`` and ``error_by_item_popularity``
    are the RMSE on test ratings by fifths of the tested rows, and of the items, from those with the fewest
    train ratings to those with the most.
    """
    low, high = split.train.y.min(), split.train.y.max()
    measured: dict[str, float] = {}
    for part in PARTS:
        x, y = getattr(split, part).x, getattr(split, part).y
        raw = predict(x)
        said = raw.clip(low, high)
        measured |= {f"{part}_{name}": value for name, value in metrics.rating(said, y).items()}
        measured[f"{part}_loss"] = float(((raw - y) ** 2).mean())
    counts = [np.bincount(split.train.x[:, side], minlength=size) for side, size in enumerate(split.inputs)]
    known = [count[own] for count, own in zip(counts, x.T, strict=True)]
    measured["guess_loss"] = float(((split.validation.y - split.train.y.mean()) ** 2).mean())
    measured["test_unseen_share"] = float((np.minimum(*known) == 0).mean())
    names = ("error_by_user_activity", "error_by_item_popularity")
    squares = (said - y) ** 2
    curves = {
        name: _errors(squares, *side) for name, side in zip(names, zip(x.T, counts, strict=True), strict=True)
    }
    return measured | _gap(measured), {name: errors for name, errors in curves.items() if errors}


def _errors(squares: np.ndarray, own: np.ndarray, counts: np.ndarray) -> list[float]:
    """Return the root mean square by fifths of those that are tested; nothing if there are fewer than five.

    Args:
        squares: of the errors, (n,).
        own: the row, or the item, of each, (n,).
        counts: how many train ratings each row, or each item, has.
    """
    tested, place = np.unique(own, return_inverse=True)
    if len(tested) < FIFTHS:
        return []
    bin_of = _fifths(counts[tested])[place]
    roots: list[float] = np.sqrt(np.bincount(bin_of, squares) / np.bincount(bin_of)).tolist()
    return roots

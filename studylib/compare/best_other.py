"""An arm beside the best other one of its study: how much worse, and whether on train rows or on new ones."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from statistics import fmean
from typing import TYPE_CHECKING, Literal, final

from studylib.compare.losses import LEVEL, Finding, Losses, finding
from studylib.statistics import Interval, paired_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@final
@dataclass(frozen=True)
class Excess:
    """How far the losses of an arm lie above those of the best other one, paired by seed.

    Attributes:
        others: which arms those are: one, or two if it is in doubt which is the best.
        validation: the finding; ``train``: how much of it the train rows show too.
        mostly: where more of it lies, in the ``gap`` or on the ``train`` rows; ``open`` if that is in doubt.
    """

    others: tuple[str, ...]
    validation: Finding
    train: Interval
    mostly: Literal["gap", "train", "open"]


def excess(arm: Losses, others: Mapping[str, Losses]) -> Excess:
    """Return how far ``arm`` lies above the best of the ``others``, of which there is at least one.

    The lowest of many is too low, by luck. So the best is found on half of the seeds, and held against the
    arm on the rest, as for ``Losses.rise``.
    """
    seeds = list(arm.validation)
    best = [_best(others, seeds[1::2]), _best(others, seeds[::2])]
    pairs = [(seed, others[best[place % 2]]) for place, seed in enumerate(seeds)]
    pairs = [(seed, other) for seed, other in pairs if seed in other.validation]
    whole = [arm.validation[seed] - other.validation[seed] for seed, other in pairs]
    train = [arm.train[seed] - other.train[seed] for seed, other in pairs]
    rest = [above - 2 * part for above, part in zip(whole, train, strict=True)]
    share = paired_interval(rest, LEVEL)
    return Excess(
        tuple(dict.fromkeys(best)),
        finding(whole, arm.margin(fmean(others[name].mean for name in best)), arm.level),
        paired_interval(train, LEVEL),
        "gap" if share.low > 0 else "train" if share.high < 0 else "open",
    )


def _best(others: Mapping[str, Losses], seeds: Sequence[int]) -> str:
    def mean(name: str) -> float:
        own = others[name].validation
        known = [own[seed] for seed in seeds if seed in own]
        return fmean(known) if known else inf

    return min(others, key=mean)

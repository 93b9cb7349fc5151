"""What a published number is: its value, its doubt, its protocol, and what of ours stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final


@final
@dataclass(frozen=True)
class Claim:
    """A number that was published.

    Attributes:
        what: of which it is, in few words.
        study, dataset: whose it is here; ``settings``: those of the dataset that it belongs to.
        arm: of that study's runs; empty if nothing here is like it.
        metric: a key of records, such as ``test_accuracy``.
        printed: the number as the source has it.
        value: the same in the unit of our records: 0.912 for 91.2 %, or for an error of 8.8 %.
        rounding: half a unit of its last digit, in the unit of ``value``.
        protocol: how it was measured.
        upto: the other end, where the source gives a range.
        se: its standard error, where the source gives one.
        test_rows: how many rows of a test set that is fixed; None where each run draws its own.
        runs: of how many runs it is the mean; 1 where the source does not say.
        against: the arm that ``arm`` is compared with, where the number is a difference of two.
        checked: whether it was read in the source; numbers that are recalled, or that nobody vouches for,
            are not.
        differs: what our run does otherwise, where that does not forbid to compare.
        incomparable: why ours cannot be held against it; empty if it can.
        computed: gives ours as the source prints it, where it follows from the data alone, without a run.
    """

    what: str
    study: str
    dataset: str
    arm: str
    metric: str
    printed: str
    value: float
    rounding: float
    protocol: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    upto: float | None = None
    se: float | None = None
    test_rows: int | None = None
    runs: int = 1
    against: str = ""
    checked: bool = True
    differs: str = ""
    incomparable: str = ""
    computed: Callable[[], str] | None = None


@final
@dataclass(frozen=True)
class Source:
    """A paper, or what else numbers are from.

    Attributes:
        name: authors and year, or the name of a repository; ``title``: of the paper or page.
        link: its DOI, or its address.
    """

    name: str
    title: str
    link: str
    claims: tuple[Claim, ...]

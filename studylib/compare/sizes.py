"""How arms change with the number of train rows: runs of one study that differ in little else."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, final

from studylib.compare.pairing import differences, values
from studylib.compare.sentences import spoken
from studylib.compare.verdicts import ALPHA, LEVEL, contrasts
from studylib.metrics import metric_of
from studylib.records import Contrast, Record
from studylib.statistics import FEWEST_PAIRS, Interval, holm, paired_interval

SIZES = ("train", "per_class", "validation")  # settings of a dataset that say how many rows
FREE = ("seeds", "smallest_effect", "device")  # what else may differ, for it changes no fit
UPDATES = ("epochs", "batch_size")  # so that the number of updates may be alike
APART = ("benchmark", "quick")  # suites whose runs are not mixed with others
LEFT_OUT = "smoke"  # shows that a study runs, not what it finds
NAMED = 4


@final
@dataclass(frozen=True)
class Growth:
    """Runs of one study on one dataset, by growing number of train rows.

    Attributes:
        records: of the runs; ``rows``: how many train rows each has, all different.
        arms: that all of them have, the baseline first.
        differing: what else is not the same, in words.
    """

    records: tuple[Record, ...]
    rows: tuple[int, ...]
    arms: tuple[str, ...]
    differing: tuple[str, ...]

    @property
    def metric(self) -> str:
        """The key of the metric that decides all of them."""
        return str(self.records[0].params["metric"])

    def means(self, arm: str) -> list[Interval | None]:
        """Return the mean of an arm over its seeds with its 95 % interval, by size; None without a seed."""
        found = [list(values(record, arm, self.metric).values()) for record in self.records]
        return [paired_interval(own) if own else None for own in found]

    def contrasts(self, arm: str) -> list[Contrast]:
        """Return an arm against the baseline, paired by seed, by size."""
        return [next(c for c in contrasts(record, self.metric) if c.arm == arm) for record in self.records]

    def changes(self) -> dict[str, Change]:
        """Return by arm how its gain over the baseline changes from the fewest to the most rows."""
        found = {arm: _welch(*(self._gains(arm, record) for record in self._ends)) for arm in self.arms[1:]}
        p = holm([one.p for one in found.values()])
        return {arm: Change(one, own) for (arm, one), own in zip(found.items(), p, strict=True)}

    def sentence(self) -> str:
        """Return whether gains shrink with more rows, as far as the seeds tell."""
        found = self.changes()
        less = [arm for arm, one in found.items() if one.certain and one.interval.mean < 0]
        more = [arm for arm, one in found.items() if one.certain and one.interval.mean > 0]
        open_ = len(found) - len(less) - len(more)
        said = [
            *([f"smaller for {_named(less)}"] if less else []),
            *([f"larger for {_named(more)}"] if more else []),
        ]
        few, many = (f"{rows:,}".replace(",", " ") for rows in (self.rows[0], self.rows[-1]))
        gain = f"what an arm gains in {spoken(self.metric)} over {self.arms[0]}"
        if not said:
            return f"From {few} to {many} train rows, these seeds do not show that {gain} changes."
        rest = f"; for {open_} of {len(found)} arms these seeds do not tell" if open_ else ""
        return f"From {few} to {many} train rows, {gain} became {' and '.join(said)}{rest}."

    @property
    def _ends(self) -> tuple[Record, Record]:
        return self.records[0], self.records[-1]

    def _gains(self, arm: str, record: Record) -> list[float]:
        sign = 1 if metric_of(self.metric).higher_is_better else -1
        own, base = (values(record, one, self.metric) for one in (arm, self.arms[0]))
        return [sign * difference for difference in differences(own, base)]


@final
@dataclass(frozen=True)
class Change:
    """How a gain changes from the fewest to the most rows: above 0 it grows.

    Attributes:
        p_holm: p value of no change, after Holm over the arms.
    """

    interval: Interval
    p_holm: float

    @property
    def certain(self) -> bool:
        """Whether chance alone is an unlikely cause."""
        return self.p_holm < ALPHA


def growths(records: Iterable[Record]) -> list[Growth]:
    """Return the runs that differ in the number of train rows alone, wherever there are two sizes or more.

    Epochs and batches may differ too, as fewer rows need more of them for as many updates, and so may the
    number of seeds. Of the arms those count that all of the runs have, with the same model and techniques;
    how strong these are may be another choice at each size. Of two runs of one size the first by name counts.
    Runs of the suites ``benchmark`` and ``quick`` are not mixed with others, and smoke runs are left out.
    """
    alike: defaultdict[str, dict[int, Record]] = defaultdict(dict)
    for record in sorted(records, key=lambda one: (one.study, one.run)):
        rows = record.dataset.get("split", {}).get("train")
        if rows and _suite(record) != LEFT_OUT:
            alike[_alike(record)].setdefault(rows, record)
    grown = [_growth(by_rows) for by_rows in alike.values() if len(by_rows) > 1]
    return [one for one in grown if one.arms[1:]]


def _growth(by_rows: Mapping[int, Record]) -> Growth:
    rows = tuple(sorted(by_rows))
    records = tuple(by_rows[size] for size in rows)
    arms = tuple(arm for arm in records[0].arms if len({_techniques(one, arm) for one in records}) == 1)
    same = {one.baseline for one in records} == {*arms[:1]}
    return Growth(records, rows, arms if same else (), tuple(_differing(records, arms)))


def _techniques(record: Record, arm: str) -> str:
    """Return what an arm consists of, as a text; of each record its own without the arm."""
    if arm not in record.arms:
        return record.run
    own = record.params["arms"][arm] or {}
    return json.dumps([sorted(own), own.get("model")], sort_keys=True, default=str)


def _differing(records: Sequence[Record], arms: Sequence[str]) -> Iterator[str]:
    for key in UPDATES:
        if len({json.dumps(record.params["training"].get(key)) for record in records}) > 1:
            yield key.replace("_", " ")
    for arm in arms:
        if len({json.dumps(record.params["arms"][arm], sort_keys=True) for record in records}) > 1:
            yield f"settings of {arm}"


def _alike(record: Record) -> str:
    """Return what is equal of runs that differ in the number of train rows alone, as a text."""
    suite = _suite(record)
    dataset = {key: own for key, own in record.params["dataset"].items() if key not in SIZES}
    training = {key: own for key, own in record.params["training"].items() if key not in UPDATES}
    others = {
        key: own for key, own in record.params.items() if key not in {*FREE, "arms", "dataset", "training"}
    }
    same: list[Any] = [record.study, suite if suite in APART else "", dataset, training, others]
    return json.dumps(same, sort_keys=True, default=str)


def _suite(record: Record) -> str:
    return record.run.partition("-")[0]


def _welch(few: Sequence[float], many: Sequence[float]) -> Interval:
    """Return the mean of ``many`` less that of ``few``, as of two samples that are drawn apart.

    Source: Welch (1947), https://doi.org/10.1093/biomet/34.1-2.28
    """
    import numpy as np
    from scipy.special import stdtr, stdtrit

    if min(len(few), len(many)) < FEWEST_PAIRS:
        return paired_interval([])
    a, b = (np.asarray(one, dtype=np.float64) for one in (few, many))
    mean = float(b.mean() - a.mean())
    parts = [float(one.var(ddof=1)) / len(one) for one in (a, b)]
    error = sqrt(sum(parts))
    if error <= 1e-12 * max(1e-300, abs(mean)):  # no spread to judge by
        return Interval(mean, mean, mean, LEVEL, 1.0)
    freedom = sum(parts) ** 2 / sum(part**2 / (len(one) - 1) for part, one in zip(parts, (a, b), strict=True))
    reach = float(stdtrit(freedom, (1 + LEVEL) / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error))
    return Interval(mean, mean - reach, mean + reach, LEVEL, p)


def _named(arms: Sequence[str]) -> str:
    names = list(arms[:NAMED]) + ([f"{len(arms) - NAMED} more"] if arms[NAMED:] else [])
    return " and ".join([", ".join(names[:-1]), names[-1]]) if names[1:] else names[0]

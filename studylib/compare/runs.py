"""Two records side by side: what was asked differently, and what came out differently."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from math import isnan, nan
from statistics import fmean
from typing import TYPE_CHECKING, Any, final

from studylib.compare.pairing import differences, values
from studylib.compare.sentences import sized, unit_of
from studylib.compare.verdicts import contrasts
from studylib.errors import ParameterError
from studylib.frames import any_text
from studylib.metrics import metric_of
from studylib.records import Record
from studylib.secrets import masked
from studylib.statistics import FEWEST_PAIRS, Interval, paired_interval

if TYPE_CHECKING:
    import pandas as pd

ABSENT = "(absent)"
Differing = Mapping[str, tuple[Any, Any]]


@final
@dataclass(frozen=True)
class ArmChange:
    """One arm in two records.

    Attributes:
        means: of the metric over the finished seeds, before and after; nan without any.
        fits: how many seeds both records have; ``identical``: how many of these are equal to the last bit.
        difference: after − before over the seeds that both finished; None if the data are not the same.
        pairs: how many seeds both finished.
        verdicts: before and after; ``baseline`` for the baseline.
        spreads: the means with their 95 % intervals over the seeds, before and after; None without a seed.
    """

    arm: str
    means: tuple[float, float]
    fits: int
    identical: int
    difference: Interval | None
    pairs: int
    verdicts: tuple[str, str]
    spreads: tuple[Interval | None, Interval | None] = (None, None)


@final
@dataclass(frozen=True)
class Changes:
    """What differs between two records; mappings are from a dotted key to (before, after)."""

    names: tuple[str, str]
    metric: str
    unit: str
    params: Differing
    dataset: Differing
    versions: Differing
    only: tuple[tuple[str, ...], tuple[str, ...]]
    arms: tuple[ArmChange, ...]
    attributions: tuple[str, ...] = ()  # what the licences of the data ask to be said

    def lines(self) -> list[str]:
        """Return the comparison as plain text, a line for each thing that differs and each common arm."""
        before, after = self.names
        said = [f"{before} → {after}, on {self.metric}"]
        for title in ("params", "dataset", "versions"):
            differing: Differing = getattr(self, title)
            said += [f"{title}: {key}: {old} → {new}" for key, (old, new) in differing.items()]
            said += [] if differing else [f"{title}: the same"]
        said += [
            f"only in {name}: {', '.join(arms)}"
            for name, arms in zip(self.names, self.only, strict=True)
            if arms
        ]
        return said + [f"{change.arm}: {self._told(change)}" for change in self.arms]

    @any_text()
    def to_frame(self) -> pd.DataFrame:
        """Return a row per common arm, in the unit of the records."""
        import pandas as pd

        rows = [
            {
                "arm": c.arm,
                "before": c.means[0],
                "after": c.means[1],
                "difference": c.difference.mean if c.difference else nan,
                "low": c.difference.low if c.difference else nan,
                "high": c.difference.high if c.difference else nan,
                "pairs": c.pairs,
                "fits": c.fits,
                "identical": c.identical,
                "verdict_before": c.verdicts[0],
                "verdict_after": c.verdicts[1],
            }
            for c in self.arms
        ]
        return pd.DataFrame(rows)

    def _told(self, c: ArmChange) -> str:
        before, after = (self._formatted(mean) for mean in c.means)
        parts = [before if before == after else f"{before} → {after}"]
        if c.identical == c.fits > 0:
            parts.append(f"all {c.fits} common fits equal to the last bit")
        else:
            parts.append(self._difference(c.difference, c.pairs))
        if c.verdicts[0] != c.verdicts[1]:
            parts.append(f"{c.verdicts[0]} → {c.verdicts[1]}")
        return "; ".join(parts)

    def _formatted(self, mean: float) -> str:
        return "no fit finished" if isnan(mean) else metric_of(self.metric).formatted(mean, self.unit)

    def _difference(self, interval: Interval | None, pairs: int) -> str:
        if interval is None:
            return "not paired, as the data differ"
        if pairs < FEWEST_PAIRS:
            return f"fewer than {FEWEST_PAIRS} paired seeds: no interval"
        sign = "+" if interval.mean > 0 else "−"
        return sign + sized(metric_of(self.metric), interval, pairs, self.unit)


def changes(before: Record, after: Record, metric: str | None = None) -> Changes:
    """Return what differs between two records, and how each common arm moved on one metric.

    Args:
        before: the record that is compared with.
        after: the record that is compared.
        metric: a key; if None, the metric that decides ``before``, or ``after`` if only that is in both.

    Raises:
        ParameterError: no arm is in both, or no arm has the metric in both.
    """
    metric = _common_metric(before, after, metric)
    gone = tuple(arm for arm in before.arms if arm not in after.arms)
    new = tuple(arm for arm in after.arms if arm not in before.arms)
    old_verdicts, new_verdicts = _verdicts(before, metric), _verdicts(after, metric)
    return Changes(
        names=(_name(before), _name(after)),
        metric=metric,
        unit=unit_of(before),
        params=_differing(_without(before.params, gone), _without(after.params, new)),
        dataset=_differing(before.dataset, after.dataset),
        versions=_differing(before.versions, after.versions),
        only=(gone, new),
        arms=tuple(
            _arm_change(arm, before, after, metric, (old_verdicts[arm], new_verdicts[arm]))
            for arm in before.arms
            if arm in after.arms
        ),
        attributions=tuple(
            dict.fromkeys(filter(None, (r.dataset.get("attribution") for r in (before, after))))
        ),
    )


def _common_metric(before: Record, after: Record, metric: str | None) -> str:
    names = f"{_name(before)} and {_name(after)}"
    common = [arm for arm in before.arms if arm in after.arms]
    if not common:
        arms = [", ".join(record.arms) for record in (before, after)]
        raise ParameterError(f"{names} have no arm in common: {arms[0]}; {arms[1]}.")
    asked = [metric] if metric else [str(record.params["metric"]) for record in (before, after)]
    for key in asked:
        metric_of(key)
        if any(values(before, arm, key) and values(after, arm, key) for arm in common):
            return key
    keys = " or ".join(dict.fromkeys(asked))
    raise ParameterError(f"{names} cannot be compared: no arm has {keys} of finished fits in both.")


def _arm_change(arm: str, before: Record, after: Record, metric: str, verdicts: tuple[str, str]) -> ArmChange:
    old, new = values(before, arm, metric), values(after, arm, metric)
    seen = differences(new, old)
    old_fits, new_fits = _fits(before, arm), _fits(after, arm)
    common = old_fits.keys() & new_fits.keys()
    same_data = before.dataset.get("sha256") == after.dataset.get("sha256")
    return ArmChange(
        arm=arm,
        means=(fmean(old.values()) if old else nan, fmean(new.values()) if new else nan),
        fits=len(common),
        identical=sum(old_fits[seed] == new_fits[seed] for seed in common),
        difference=paired_interval(seen) if same_data else None,
        pairs=len(seen),
        verdicts=verdicts,
        spreads=(_spread(old), _spread(new)),
    )


def _spread(found: Mapping[int, float]) -> Interval | None:
    return paired_interval(list(found.values())) if found else None


def _fits(record: Record, arm: str) -> dict[int, str]:
    # As JSON every finite number is written in full, and nan equals nan.
    return {fit.seed: json.dumps(asdict(fit), sort_keys=True) for fit in record.fits if fit.arm == arm}


def _verdicts(record: Record, metric: str) -> dict[str, str]:
    return {record.baseline: "baseline", **{c.arm: c.verdict for c in contrasts(record, metric)}}


def _without(params: Mapping[str, Any], arms: tuple[str, ...]) -> dict[str, Any]:
    kept = {name: arm for name, arm in params["arms"].items() if name not in arms}
    return {**masked(params), "arms": masked({"arms": kept})["arms"]}


def _differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Differing:
    old, new = dict(_leaves(before)), dict(_leaves(after))
    pairs = {key: (old.get(key, ABSENT), new.get(key, ABSENT)) for key in {**old, **new}}
    return {key: (was, is_) for key, (was, is_) in pairs.items() if was != is_}


def _leaves(tree: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value


def _name(record: Record) -> str:
    return f"{record.study}/{record.run}"

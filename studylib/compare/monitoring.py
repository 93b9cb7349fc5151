"""What was watched in every fit, as means over the seeds of each arm: losses, gaps, weights, and the pace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, final

from studylib.compare.diagnosis import diagnoses
from studylib.compare.losses import kept, unit_of_loss
from studylib.compare.sentences import unit_of
from studylib.frames import any_text
from studylib.metrics import METRICS, metric_of
from studylib.statistics import Interval, paired_interval

if TYPE_CHECKING:
    import pandas as pd

    from studylib.records import Fit, Record


@final
@dataclass(frozen=True)
class Watched:
    """A number that every fit is watched by.

    Attributes:
        name: in words; ``unit``: after ``scale``, empty for a bare number.
        of: reads it from a fit; nan where it was not measured.
        counts: whether it is a whole number.
    """

    name: str
    of: Callable[[Fit], float]
    unit: str = ""
    scale: float = 1.0
    counts: bool = False

    @property
    def column(self) -> str:
        """The name with its unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def mean(self, fits: tuple[Fit, ...]) -> Interval | None:
        """Return mean and 95 % interval over ``fits``, in the unit; None where none has it."""
        found = [value * self.scale for fit in fits if isfinite(value := self.of(fit))]
        return paired_interval(found) if found else None

    def shown(self, one: Interval | None) -> str:
        """Return the mean as text, as precise as its interval lets it be."""
        if one is None:
            return ""
        if self.counts:
            return f"{one.mean:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        reach = one.high - one.mean if isfinite(one.high) else 0.0
        return METRICS["nll"].digits(one.mean, max(reach, 0.001 * abs(one.mean)))


def watched(record: Record) -> tuple[Watched, ...]:
    """Return what the fits of ``record`` are watched by.

    Losses are per example and without penalties, of the weights that were kept; on a regression their unit is
    the variance of the target. The gap is that of validation rows less that of train rows, in the loss and in
    the deciding metric. Negligible weights are those of at most a hundredth of their layer's root mean
    square, zeros among them. The best epoch is that of the lowest validation loss, kept or not; steps count
    the updates until its end.
    """
    nats = unit_of_loss(record)
    return (
        *(Watched(f"{part} loss", _loss(part), nats) for part in ("train", "validation", "test")),
        Watched("gap", lambda fit: kept(fit, "validation") - kept(fit, "train"), nats),
        *_gap_of_metric(record),
        Watched("weight norm", _named("weight_norm")),
        Watched("zero weights", _named("zero_share"), "%", 100),
        Watched("negligible weights", _named("negligible_share"), "%", 100),
        Watched("best epoch", _best_epoch, counts=True),
        Watched("steps to best epoch", _named("lowest_loss_steps"), counts=True),
    )


@any_text()
def monitored(record: Record) -> pd.DataFrame:
    """Return a row per arm and number: arm, number, unit, mean, low, high (95 % over seeds), seeds.

    What no fit of the arm has is nan; bounds are infinite for a single seed.
    """
    import pandas as pd

    rows = []
    for arm in record.arms:
        fits = record.finished(arm)
        for number in watched(record):
            one = number.mean(fits) or Interval(nan, nan, nan, nan, nan)
            seeds = sum(isfinite(number.of(fit)) for fit in fits)
            rows.append((arm, number.name, number.unit, one.mean, one.low, one.high, seeds))
    return pd.DataFrame(rows, columns=["arm", "number", "unit", "mean", "low", "high", "seeds"])


@any_text()
def monitoring(record: Record) -> pd.DataFrame:
    """Return ``monitored`` for reading: a row per arm, means over its seeds as text, then the diagnosis.

    A column is a number with its unit; where an arm does not have it the cell is empty, and where no arm has
    it, as epochs of models that are solved exactly, there is no column.
    """
    import pandas as pd

    numbers = watched(record)
    rows = {
        arm: {number.column: number.shown(number.mean(record.finished(arm))) for number in numbers}
        for arm in record.arms
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("arm")
    frame = frame.loc[:, (frame != "").any()]
    return frame.assign(diagnosis=[one.kind for one in diagnoses(record)])


def _loss(part: str) -> Callable[[Fit], float]:
    return lambda fit: kept(fit, part)


def _named(key: str) -> Callable[[Fit], float]:
    return lambda fit: fit.metrics.get(key, nan)


def _gap_of_metric(record: Record) -> list[Watched]:
    key = str(record.params["metric"])
    metric = metric_of(key)
    if "weights" in metric.tasks:
        return []
    unit = metric.unit_shown(unit_of(record))

    def gap(fit: Fit) -> float:
        held, seen = (fit.metrics.get(f"{part}_{metric.name}", nan) for part in ("validation", "train"))
        return held - seen

    return [Watched(f"gap in {metric.noun}", gap, unit, metric.scale)]


def _best_epoch(fit: Fit) -> float:
    curve = fit.curves.get("validation_loss")
    return float(curve.index(min(curve)) + 1) if curve else nan

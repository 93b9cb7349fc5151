"""What was tried for each arm of a record, what was chosen, and how much too good the score is that chose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log
from typing import TYPE_CHECKING, Any, final

from studylib.statistics import paired_interval

if TYPE_CHECKING:
    from studylib.records import Fit, Record
    from studylib.statistics import Interval
    from studylib.trials import Trial

NEAR = 0.02  # of its length: who is that near to an end of a range is at it


@final
@dataclass(frozen=True)
class Opened:
    """A setting that an arm left open, and what was chosen of it.

    Attributes:
        name: such as ``l1.strength``.
        values: a list, or None for a range from ``low`` to ``high``, even in the logarithm or not.
        chosen: by seed.
    """

    name: str
    values: Sequence[Any] | None
    low: float
    high: float
    log: bool
    chosen: Mapping[int, Any]

    @property
    def words(self) -> str:
        """What it could be."""
        if self.values is not None:
            return ", ".join(_plain(value) for value in self.values)
        return f"{self.low:g} to {self.high:g}" + ("" if self.log else ", linear")

    def place(self, value: Any) -> float:
        """Return where between the ends a value lies, 0 to 1; of what has no order, where in the list."""
        if isinstance(value, int | float) and self.low < self.high:
            if self.log:
                return log(value / self.low) / log(self.high / self.low)
            return (value - self.low) / (self.high - self.low)
        values = list(self.values or ())
        return values.index(value) / max(1, len(values) - 1) if value in values else 0.5

    @property
    def ends(self) -> tuple[int, int]:
        """In how many seeds the low end was chosen, and the high end; of what has no order, none."""
        if self.low >= self.high:
            return 0, 0
        places = [self.place(value) for value in self.chosen.values()]
        return sum(place <= NEAR for place in places), sum(place >= 1 - NEAR for place in places)


@final
@dataclass(frozen=True)
class Tuned:
    """How an arm was tuned.

    Attributes:
        trials: of each seed; 1 if nothing was open.
        settings: what was open.
        lost: trials of all seeds that came to no end.
        optimism: mean over seeds of the loss on test rows less the score of what was chosen, with interval;
            for an arm that was not tuned, less the loss on validation rows. None if no seed has both.
        crossed: whether scores are of cross-validation.
    """

    arm: str
    trials: int
    settings: tuple[Opened, ...]
    lost: int
    optimism: Interval | None
    crossed: bool


def tuned(record: Record) -> tuple[Tuned, ...]:
    """Return how each arm was tuned, in the order of the study; nothing if no arm has trials."""
    if not any(fit.trials for fit in record.fits):
        return ()
    return tuple(_of_arm(record, arm) for arm in record.arms)


def _of_arm(record: Record, arm: str) -> Tuned:
    fits = [fit for fit in record.fits if fit.arm == arm]
    tried = [one for fit in fits for one in fit.trials]
    names = list(dict.fromkeys(name for one in tried for name in one.settings))
    settings = tuple(_opened(record, arm, name, fits) for name in names)
    trials = max((len(fit.trials) for fit in fits), default=0)
    lost = sum(one.status != "ok" for one in tried)
    seen = [gap for fit in record.finished(arm) if isfinite(gap := optimism(fit))]
    crossed = any(len(one.keys) != 1 for one in tried)
    return Tuned(arm, max(1, trials), settings, lost, paired_interval(seen) if seen else None, crossed)


def taken(fit: Fit) -> Trial | None:
    """Return the trial that was chosen; of equals the one that the metrics of the fit name."""
    scored = [one for one in fit.trials if one.score is not None]
    if not scored:
        return None
    lowest = min(one.score for one in scored if one.score is not None)
    equals = [one for one in scored if one.score == lowest]

    def named(one: Trial) -> bool:
        told = {f"chosen_{name.replace('.', '_')}": value for name, value in one.settings.items()}
        return all(fit.metrics.get(name) == value for name, value in told.items() if _is_number(value))

    return next(filter(named, equals), equals[0])


def optimism(fit: Fit) -> float:
    """Return by how much the score of what was chosen is better than the same on test rows; nan without.

    For a fit without trials, by how much the loss on validation rows is, or for a ranking the NDCG at 20.
    """
    numbers, nothing = fit.metrics, float("nan")
    ranks = "test_ndcg_at_20" in numbers
    test = -numbers["test_ndcg_at_20"] if ranks else numbers.get("test_loss", nothing)
    if fit.trials:
        chosen = taken(fit)
        return test - chosen.score if chosen and chosen.score is not None else nothing
    validation = -numbers.get("validation_ndcg_at_20", nothing) if ranks else numbers.get("validation_loss")
    return nothing if validation is None else test - validation


def _opened(record: Record, arm: str, name: str, fits: Sequence[Fit]) -> Opened:
    asked = _asked(record, arm, name)
    chosen = {fit.seed: one.settings[name] for fit in fits if (one := taken(fit)) and name in one.settings}
    if isinstance(asked, Mapping):
        ends = float(asked["low"]), float(asked["high"])
        return Opened(name, None, *ends, bool(asked.get("log", True)), chosen)
    values: list[Any] = list(asked) if asked else sorted({_plain(value) for value in chosen.values()})
    if all(map(_is_number, values)) and len(values) > 2:
        return Opened(name, values, min(values), max(values), min(values) > 0, chosen)
    return Opened(name, values, 0.0, 0.0, log=False, chosen=chosen)


def _asked(record: Record, arm: str, name: str) -> Any:
    """Return what a setting could be, as it stands in the parameters."""
    owner, _, setting = name.rpartition(".")
    own = record.params["arms"][arm] or {}
    places = (own.get(owner), record.params.get(owner))
    found = (one[setting] for one in places if isinstance(one, Mapping) and setting in one)
    return next(found, None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

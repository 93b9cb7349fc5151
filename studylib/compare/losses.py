"""What the losses of an arm say over its seeds: the gap, a rise after the lowest, a fall at the end.

All are without penalty. A question has three answers: yes, beyond doubt and by as much as matters; no, beyond
doubt not by as much as matters; open.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import inf, isfinite, log, nan
from statistics import fmean
from typing import TYPE_CHECKING, Literal, final

from studylib.statistics import FEWEST_PAIRS, Interval, paired_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from studylib.records import Fit, Record

LEVEL = 0.95
QUESTIONS = 3  # asked of each arm: a rise after the lowest, a fall at the end, a better arm
MATERIAL = 0.1  # of the loss, or of what was learnt: less does not matter
LAST = 0.25  # of the epochs: where a training that was cut off is still seen to fall
Answer = Literal["yes", "no", "open"]


@final
@dataclass(frozen=True)
class Finding:
    """Whether a mean over seeds is as large as matters.

    Attributes:
        interval: of the mean, 95 %; ``strict``: the one that a yes is held to, at least as wide.
        margin: from which size it matters.
        answer: ``yes``: the mean is at least the margin, and the strict interval, or where there is no
            spread the exact sign-flip test, leaves out 0; ``no``:
            the 95 % interval lies below the margin; else ``open``.
    """

    interval: Interval
    strict: Interval
    margin: float
    answer: Answer


def strict_level(arms: int) -> float:
    """Return the level at which all yeses to all questions of a study of ``arms`` hold together at 95 %.

    Bonferroni; a yes is wrong on one side only.
    """
    return 1 - 2 * (1 - LEVEL) / (QUESTIONS * max(1, arms))


def finding(values: Sequence[float], margin: float, level: float) -> Finding:
    """Return what ``values``, one per seed, say of their mean; a yes holds at ``level``."""
    shown, strict = paired_interval(values, LEVEL), paired_interval(values, level)
    if len(values) < FEWEST_PAIRS:
        return Finding(shown, strict, margin, "open")
    if strict.p < 1 - level and strict.mean >= margin:
        return Finding(shown, strict, margin, "yes")
    return Finding(shown, strict, margin, "no" if shown.high < margin else "open")


def kept(fit: Fit, part: str) -> float:
    """Return the loss of the weights that were kept; nan where neither it nor a curve was measured."""
    return fit.metrics.get(f"{part}_loss", _on_curve(fit, part))


def _on_curve(fit: Fit, part: str) -> float:
    """Return the loss of the epoch whose weights were kept, as the curve has it; nan without a curve."""
    curve = fit.curves.get(f"{part}_loss")
    return curve[int(fit.metrics.get("best_epoch", len(curve))) - 1] if curve else nan


def guessing(record: Record) -> float:
    """Return the loss of knowing nothing: ln(classes), ln 2 for a ranking, 1 for a regression; else infinity.

    The target of a regression is standardised. Of ratings it is the validation loss of the mean train rating,
    as the fits have measured it.
    """
    if record.dataset.get("task") == "rating":
        found = [fit.metrics["guess_loss"] for fit in record.fits if "guess_loss" in fit.metrics]
        return fmean(found) if found else inf
    classes = len(record.dataset.get("classes", ()))
    known = {
        "regression": 1.0,
        "forecasting": 1.0,
        "ranking": log(2),
        "classification": log(classes) if classes > 1 else inf,
    }
    return known.get(str(record.dataset.get("task")), inf)


def unit_of_loss(record: Record) -> str:
    """Return ``nats`` for classes and rankings, the square of a rating's unit, nothing for a regression."""
    if record.dataset.get("task") == "rating":
        return f"{record.dataset.get('unit', '')}²"
    return "nats" if record.dataset.get("task") in {"classification", "ranking"} else ""


@final
@dataclass(frozen=True)
class Losses:
    """The losses of an arm's finished fits that have both, by seed.

    Attributes:
        train, validation: of the weights that were kept.
        train_curves, validation_curves: one list per seed, an entry per epoch; empty without epochs.
        train_end, validation_end: what the end of a curve is, by seed, measured as the curve is.
        guess: the loss of knowing nothing.
        unit: of a loss; empty where 1 is the variance of the target.
        level: of what is said for certain.
    """

    train: dict[int, float]
    validation: dict[int, float]
    train_curves: list[list[float]]
    validation_curves: list[list[float]]
    train_end: list[float]
    validation_end: list[float]
    guess: float
    unit: str
    level: float

    @cached_property
    def mean(self) -> float:
        """Mean validation loss over the seeds; infinite without any."""
        return fmean(self.validation.values()) if self.validation else inf

    def margin(self, loss: float) -> float:
        """Return what matters beside ``loss``: a tenth of it, or of what was learnt if that is less.

        What was learnt is the distance from guessing; where that is next to nothing, a tenth of the loss
        stands in for it.
        """
        return MATERIAL * max(min(loss, self.guess - loss), MATERIAL * loss)

    @cached_property
    def gap(self) -> Finding:
        """Validation − train loss."""
        gaps = [loss - self.train[seed] for seed, loss in self.validation.items()]
        return finding(gaps, self.margin(self.mean), self.level)

    def train_interval(self) -> Interval:
        """Return the mean train loss with its interval."""
        return paired_interval(list(self.train.values()), LEVEL)

    def gap_is_the_smaller_part(self) -> bool:
        """Return whether more of the validation loss is train loss than gap, beyond doubt."""
        rest = [2 * self.train[seed] - loss for seed, loss in self.validation.items()]
        return paired_interval(rest, LEVEL).low > 0

    @cached_property
    def rise(self) -> tuple[Finding, Finding]:
        """How far the validation loss of the weights kept lies above the lowest, and the train loss.

        The lowest of a noisy curve is too low, by luck. So the epoch is found on the mean curve of half of
        the seeds, and the loss read from the others' curves: luck does not pass from one to the other.
        """
        import numpy as np

        held, seen = _table(self.validation_curves), _table(self.train_curves)
        half = np.arange(len(held)) % 2 == 0
        chosen = np.where(half, held[~half].mean(0).argmin(), held[half].mean(0).argmin())[:, None]
        lowest = np.take_along_axis(held, chosen, 1)[:, 0]
        learnt = np.take_along_axis(seen, chosen, 1)[:, 0]
        margin = self.margin(float(lowest.mean()))
        return (
            finding(np.array(self.validation_end) - lowest, margin, self.level),
            finding(np.array(self.train_end) - learnt, margin, self.level),
        )

    @cached_property
    def fall(self) -> tuple[Finding, Finding]:
        """How far the validation loss fell in the last quarter of the epochs, and the train loss.

        As the next quarter would bring less, twice as much has to be seen for it to matter.
        """
        ends = fmean(curve[-1] for curve in self.validation_curves)
        margin = 2 * self.margin(ends)
        falls, learnt = (
            [curve[_before_last_quarter(len(curve))] - curve[-1] for curve in curves]
            for curves in (self.validation_curves, self.train_curves)
        )
        return finding(falls, margin, self.level), finding(learnt, margin, self.level)

    def lowest_epochs(self) -> Interval:
        """Return the epoch, from 1, of the lowest validation loss of each seed: mean and interval."""
        epochs = [curve.index(min(curve)) + 1 for curve in self.validation_curves]
        found = paired_interval(epochs, LEVEL)
        low, high = max(1.0, found.low), min(float(self.epochs), found.high)
        return Interval(found.mean, low, high, found.level, found.p)

    @property
    def epochs(self) -> int:
        """The largest number of epochs that a seed was trained for; 0 without epochs."""
        return max(map(len, self.validation_curves), default=0)


def losses(record: Record, arm: str) -> Losses:
    """Return the losses of ``arm``."""
    found = [fit for fit in record.finished(arm) if isfinite(kept(fit, "train") + kept(fit, "validation"))]
    train, validation = (
        [fit.curves.get(f"{part}_loss", []) for fit in found] for part in ("train", "validation")
    )
    whole = all(len(curve) > 1 for curve in (*train, *validation))
    # Weights may be averaged, or predictions calibrated, and the curve knows nothing of it. But the curve of
    # a ranking is of a few items drawn, and its loss at the end of them all.
    ended = _on_curve if record.dataset.get("task") == "ranking" else kept
    return Losses(
        {fit.seed: kept(fit, "train") for fit in found},
        {fit.seed: kept(fit, "validation") for fit in found},
        train if whole else [],
        validation if whole else [],
        [_on_curve(fit, "train") for fit in found],
        [ended(fit, "validation") for fit in found],
        guessing(record),
        unit_of_loss(record),
        strict_level(len(record.arms)),
    )


def _before_last_quarter(epochs: int) -> int:
    return min(epochs - 2, int((1 - LAST) * epochs) - 1) if epochs > 2 else 0


def _table(curves: list[list[float]]) -> np.ndarray:
    import numpy as np

    epochs = min(map(len, curves))  # of which all seeds have a loss
    return np.array([curve[:epochs] for curve in curves])

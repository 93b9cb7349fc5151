"""What ails an arm: it fits chance, it fits too little, or about as much as the study shows to be right.

A model overfits if another one meets new rows better though it fits the train rows less well, or better by
more than its train loss explains; it underfits if another one is better on both. That other one is an earlier
or a later epoch of the same training, or the best other arm: no model is right or wrong by itself.

Source: Mitchell (1997), Machine Learning, section 3.7.1, ISBN 978-0-07-042807-2
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from studylib.compare.best_other import Excess, excess
from studylib.compare.losses import Losses, losses
from studylib.metrics import METRICS
from studylib.statistics import FEWEST_PAIRS, Interval

if TYPE_CHECKING:
    from studylib.compare.losses import Finding
    from studylib.records import Record

Kind = Literal["overfitting", "underfitting", "about right", "cannot tell"]
HIGH = 0.5  # of the loss of guessing
FINEST = 0.003  # of the loss: a smaller difference is shown as none

Said = tuple[Kind, str]


@final
@dataclass(frozen=True)
class Diagnosis:
    """What an arm suffers from.

    Attributes:
        evidence: a clause made of numbers, each with its 95 % interval over the seeds in brackets.
    """

    arm: str
    kind: Kind
    evidence: str

    @property
    def sentence(self) -> str:
        """The diagnosis with its evidence: ``overfitting: validation loss was lowest at epoch …``."""
        return f"{self.kind}: {self.evidence}"


def diagnoses(record: Record) -> tuple[Diagnosis, ...]:
    """Return the diagnosis of each arm, in the order of the study.

    It is held against the best of three others, of which each is there only if it is better beyond doubt:

    - An earlier epoch: the validation loss of the weights kept lies above the lowest of its curve. It is
      ``overfitting`` if the gap (validation − train loss) is above 0, and the train loss did not rise along.
    - A later epoch: the validation loss still fell in the last quarter of the epochs. It is ``underfitting``
      if more of that loss is train loss than gap.
    - The best other arm. It is ``overfitting`` if most of the difference is gap, ``underfitting`` if most of
      it is train loss.

    ``about right``: each of these is ruled out. ``cannot tell``: whatever is left, with what is open.

    Better beyond doubt: the mean over the seeds is at least a tenth of the loss, or a tenth of the distance
    from the loss of guessing if that is less, and its interval lies above 0 at a level at which all that is
    said of a study holds together at 95 %. Ruled out: the 95 % interval lies below that tenth. A train loss
    above half of that of guessing, with no better arm beside it, is either noise of the data or a model that
    is too small or was trained too little: nobody can tell.
    """
    found = {arm: losses(record, arm) for arm in record.arms}
    return tuple(Diagnosis(arm, *_diagnosed(arm, found)) for arm in record.arms)


def _diagnosed(arm: str, found: Mapping[str, Losses]) -> Said:
    own = found[arm]
    if len(own.validation) < FEWEST_PAIRS:
        return "cannot tell", f"fewer than {FEWEST_PAIRS} seeds finished with a train and a validation loss"
    others = {name: each for name, each in found.items() if name != arm and each.validation}
    beside = excess(own, others) if others else None
    shown = [*_shown(own, beside)]
    if not shown:
        return _not_shown(own, beside)
    kind = max(shown, key=lambda one: one[0])[1][0]
    return next(said for _, said in shown if said[0] == kind)


def _shown(own: Losses, beside: Excess | None) -> Iterator[tuple[float, Said]]:
    """Give what is beyond doubt, with the size of the loss that the better model would save."""
    if own.epochs and own.rise[0].answer == "yes":
        yield own.rise[0].interval.mean, _risen(own)
    if own.epochs and own.fall[0].answer == "yes":
        yield own.fall[0].interval.mean, _falling(own)
    if beside and beside.validation.answer == "yes":
        yield beside.validation.interval.mean, _worse(own, beside)


def _risen(own: Losses) -> Said:
    rise, along = (one.interval for one in own.rise)
    rose = f"{_lowest(own)} and rose by {_told(own, rise)} after it"
    if along.mean * 2 < rise.mean and own.gap.interval.low > 0:
        return "overfitting", f"{rose}; the gap at the end is {_told(own, own.gap.interval)}"
    return "cannot tell", f"{rose}, but train loss changed by {_told(own, along)}"


def _falling(own: Losses) -> Said:
    fall, learnt = (one.interval for one in own.fall)
    fell = (
        f"validation loss still fell by {_told(own, fall)} in the last quarter of {own.epochs}"
        f" epochs, train loss by {_told(own, learnt)}, and the gap is {_told(own, own.gap.interval)}"
    )
    if own.gap_is_the_smaller_part():
        return "underfitting", fell
    return "cannot tell", f"{fell}: more epochs would tell"


def _worse(own: Losses, beside: Excess) -> Said:
    said = (
        f"validation loss is {_above(own, beside.validation.interval)} that of {_best(beside)}, "
        f"train loss {_above(own, beside.train)}, and the gap is {_told(own, own.gap.interval)}"
    )
    if beside.mostly == "gap" and own.gap.interval.low > 0:
        return "overfitting", said
    if beside.mostly == "train":
        return "underfitting", said
    return "cannot tell", f"{said}: whether it fits too much or too little is open"


def _not_shown(own: Losses, beside: Excess | None) -> Said:
    doubts = [*_open(own, beside)]
    if doubts:
        return "cannot tell", "; ".join([*doubts, f"the gap is {_told(own, own.gap.interval)}"])
    train = own.train_interval()
    if train.mean > HIGH * own.guess and own.gap_is_the_smaller_part():
        return "cannot tell", (
            f"train loss is {_told(own, train)}, where guessing costs {own.guess:.3g}, and the gap is only"
            f" {_told(own, own.gap.interval)}: either the data are noisy, or the model is too small or was"
            " trained too little"
        )
    return "about right", "; ".join(_ruled_out(own, beside))


def _open(own: Losses, beside: Excess | None) -> Iterator[str]:
    if not own.epochs and not beside:
        yield "there is neither a learning curve nor another arm to hold the losses against"
    if own.epochs and own.rise[0].answer == "open":
        yield f"{_lowest(own)} and changed after it by {_doubtful(own, own.rise[0])}"
    if own.epochs and own.fall[0].answer == "open":
        yield f"in the last quarter of the epochs validation loss fell by {_doubtful(own, own.fall[0])}"
    if beside and beside.validation.answer == "open":
        yield f"validation loss is above that of {_best(beside)} by {_doubtful(own, beside.validation)}"


def _ruled_out(own: Losses, beside: Excess | None) -> Iterator[str]:
    if own.epochs:
        rise, fall = own.rise[0].interval, own.fall[0].interval
        flat = max(abs(rise.low), abs(rise.high)) < FINEST * own.mean
        yield f"{_lowest(own)}" + ("" if flat else f" and changed by {_told(own, rise)} after it")
        yield f"it fell by {_told(own, fall)} in the last quarter"
    if beside:
        yield f"validation loss is {_above(own, beside.validation.interval)} that of {_best(beside)}"
    yield f"the gap is {_told(own, own.gap.interval)}"


def _lowest(own: Losses) -> str:
    when = own.lowest_epochs()
    low, mean, high = (f"{epoch:.0f}" for epoch in (when.low, when.mean, when.high))
    between = "" if low == high else f" ({low} to {high})"
    return f"validation loss was lowest at epoch {mean}{between} of {own.epochs}"


def _best(beside: Excess) -> str:
    """Return the arm that was held against, or the two."""
    return " or ".join(beside.others)


def _above(own: Losses, interval: Interval) -> str:
    if interval.mean >= 0:
        return f"{_told(own, interval)} above"
    low, high = -interval.high, -interval.low
    return f"{_told(own, Interval(-interval.mean, low, high, interval.level, interval.p))} below"


def _doubtful(own: Losses, found: Finding) -> str:
    """Return what is open: the interval that a yes was asked of, and what would have mattered."""
    asked = f"{_told(own, found.strict)[:-1]}, {100 * found.strict.level:.3g} % interval)"
    return f"{asked}, where {_number(found.margin)} would matter"


def _told(own: Losses, interval: Interval) -> str:
    """Return ``0.21 nats (0.15 to 0.27)``, as precise as the interval and the size of the loss let it be."""
    reach = max((interval.high - interval.low) / 2, FINEST * own.mean)
    digits = METRICS["nll"].digits
    mean, low, high = (digits(each, reach) for each in (interval.mean, interval.low, interval.high))
    return f"{mean} {own.unit} ({low} to {high})".replace("  ", " ")


def _number(value: float) -> str:
    return METRICS["nll"].digits(value)

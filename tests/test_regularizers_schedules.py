"""Laws of every rule over the clock: when training ends, how strong, which layers learn, what is averaged."""

from __future__ import annotations

import math
import random
from fnmatch import fnmatchcase
from itertools import pairwise
from math import comb
from statistics import fmean
from typing import TYPE_CHECKING, TypeVar

import pytest

from studylib.errors import ParameterError
from studylib.regularizers import EXAMPLES, make
from studylib.regularizers.base import Averaging, Schedule, Stopping, StrengthSchedule, Unfreezing
from studylib.regularizers.early_dropout import EarlyDropout
from studylib.regularizers.early_stopping import EarlyStopping
from studylib.regularizers.ema import Ema
from studylib.regularizers.gradual_unfreezing import GradualUnfreezing
from studylib.regularizers.late_dropout import LateDropout
from studylib.regularizers.swa import Swa

if TYPE_CHECKING:
    from collections.abc import Sequence

S = TypeVar("S", bound=Schedule)

ANY_LOSS = (0.0, 0.25, 0.5, 1.0, 3.0, 1e300, math.inf, math.nan)
LAYERS = ("embedding", "hidden1", "hidden2", "output")


def every(argument: str, kind: type[S]) -> pytest.MarkDecorator:
    """Return the mark that runs a test over the folder's examples of one kind."""
    of_kind = [e for e in EXAMPLES.values() if isinstance(e, kind)]
    return pytest.mark.parametrize(argument, of_kind, ids=lambda e: e.name)


def stopped_by_hand(losses: list[float], patience: int, min_delta: float) -> tuple[int, int]:
    """Return the epoch kept and the number of epochs run, by counting as one would on paper."""
    lowest, kept, waited = 99.0, 0, 0
    for epoch, loss in enumerate(losses):
        if not math.isnan(loss) and lowest - loss > min_delta:
            lowest, kept, waited = loss, epoch, 0
        elif epoch > 0:
            waited += 1
        if waited == patience:
            return kept, epoch + 1
    return kept, len(losses)


def test_early_stopping_stops_and_keeps_as_one_would_on_paper() -> None:
    """500 random histories with ties and NaN end at the epoch, and keep the epoch, found by hand."""
    draw = random.Random(1)
    for _ in range(500):
        losses = [draw.choice([0, 0.25, 0.5, 0.75, 1, 1.25, math.nan]) for _ in range(12)]
        rule = EarlyStopping(patience=draw.randint(1, 4), min_delta=draw.choice([0.0, 0.25, 0.5]))
        ends = (n for n in range(1, 13) if rule.stop(losses[:n]))
        epochs = next(ends, 12)

        assert (rule.best(losses[:epochs]), epochs) == stopped_by_hand(losses, rule.patience, rule.min_delta)


@every("stopping", Stopping)
def test_a_stopping_rule_keeps_the_best_epoch_and_lets_progress_go_on(stopping: Stopping) -> None:
    """Falling losses are never stopped; a loss that is not a number is never kept when there is another."""
    falling = [float(100 - epoch) for epoch in range(50)]

    assert not any(stopping.stop(falling[:n]) for n in range(51))
    assert stopping.best(falling) == 49
    assert stopping.best([math.nan, 2.0, math.nan]) == 1
    assert stopping.best([math.nan, math.nan]) == 0


# strengths


@every("schedule", StrengthSchedule)
def test_a_factor_is_a_strength_whatever_the_losses_were(schedule: StrengthSchedule) -> None:
    """200 random histories, with losses that are no numbers, give finite factors that are not below 0."""
    draw = random.Random(2)
    for _ in range(200):
        epoch = draw.randint(0, 30)
        losses = [[draw.choice(ANY_LOSS) for _ in range(epoch)] for _ in range(2)]
        factor = schedule.factor(epoch, 30, *losses)

        assert math.isfinite(factor)
        assert factor >= 0


@every("schedule", StrengthSchedule)
def test_a_strength_schedule_turns_something(schedule: StrengthSchedule) -> None:
    """Its pattern meets at least one technique of the folder that has a strength."""
    assert any(fnmatchcase(name, schedule.technique) and e.dial() for name, e in EXAMPLES.items())


def factors(schedule: StrengthSchedule, epochs: int, gaps: Sequence[float] = ()) -> list[float]:
    """Return the factors of the first epochs, where the validation loss is so far above the train loss."""
    held = [1 + gap for gap in gaps] or [1.0] * epochs
    return [schedule.factor(e, epochs, [1.0] * e, held[:e]) for e in range(epochs)]


def shaped(shape: str, start: float, end: float, epochs: int = 4, target: float = 0.0) -> StrengthSchedule:
    """Return the schedule of that shape for all techniques."""
    settings = {"shape": shape, "start": start, "end": end, "epochs": epochs, "target": target}
    made = make("strength_schedule", technique="*", **settings)
    assert isinstance(made, StrengthSchedule)
    return made


def test_shapes_are_the_lines_that_one_would_draw() -> None:
    """Constant is 1; rising and falling take equal steps, hit both ends exactly, and stay."""
    assert factors(shaped("constant", 0.0, 0.5), 6) == [1.0] * 6
    assert factors(shaped("rising", 0.0, 1.0), 7) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert factors(shaped("falling", 2.0, 0.0), 6) == [2.0, 1.5, 1.0, 0.5, 0.0, 0.0]
    assert factors(shaped("rising", 0.1, 0.7, epochs=1), 3) == [0.1, 0.7, 0.7]


@pytest.mark.parametrize(("shape", "start", "end"), [("rising", 1.0, 0.5), ("falling", 0.5, 1.0)])
def test_a_shape_that_goes_the_other_way_is_refused(shape: str, start: float, end: float) -> None:
    """Rising from 1 to 0.5 and falling from 0.5 to 1 are errors that name the setting."""
    with pytest.raises(ParameterError, match=r"^strength_schedule\.end: expected at .* which is"):
        shaped(shape, start, end)


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 0.25), (0.5, 0.5), (0.5, 2.0)])
def test_the_gap_is_a_clamped_sum_of_steps(start: float, end: float) -> None:
    """200 random histories give the factors of adding and clamping one step at a time."""
    draw = random.Random(3)
    schedule = shaped("gap", start, end, epochs=4, target=0.25)
    step, low, high = abs(end - start) / 4, min(start, end), max(start, end)
    for _ in range(200):
        gaps = [draw.choice([-1.0, 0.0, 0.25, 0.5, 2.0, math.nan]) for _ in range(15)]
        expected = [start]
        for gap in gaps[:-1]:
            move = 0.0 if math.isnan(gap) else step if gap > 0.25 else -step
            expected.append(min(max(expected[-1] + move, low), high))

        assert factors(schedule, 15, gaps) == pytest.approx(expected, abs=1e-12)


def test_the_gap_strengthens_what_overfits_and_lets_go_again() -> None:
    """Overfitting turns the strength up to the end in ``epochs`` epochs, its absence down again."""
    gaps = [1.0] * 6 + [0.0] * 6

    assert factors(shaped("gap", 0.0, 1.0), 12, gaps) == [
        *(0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 1.0),
        *(0.75, 0.5, 0.25, 0.0, 0.0),
    ]


def test_early_and_late_dropout_share_the_epochs_between_them() -> None:
    """Early dropout is off from ``epochs`` on, late dropout before; constant ones add up to 1 everywhere."""
    early, late = EarlyDropout(epochs=4), LateDropout(epochs=4)
    constant = EarlyDropout(epochs=4, shape="constant")

    assert factors(early, 6) == [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    assert factors(late, 6) == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    assert [a + b for a, b in zip(factors(constant, 9), factors(late, 9), strict=True)] == [1.0] * 9


def test_a_schedule_without_losses_does_not_read_them() -> None:
    """Every shape but the gap gives the same factors for any losses."""
    for schedule in (shaped("rising", 0.0, 1.0), shaped("falling", 1.0, 0.0), EarlyDropout(epochs=4)):
        assert factors(schedule, 9, [math.nan, 9.0, -1.0] * 3) == factors(schedule, 9)


# layers


@every("unfreezing", Unfreezing)
@pytest.mark.parametrize("layers", [LAYERS, LAYERS[2:], LAYERS[-1:]], ids=len)
def test_frozen_layers_thaw_from_the_output_and_stay_thawed(
    unfreezing: Unfreezing, layers: tuple[str, ...]
) -> None:
    """Frozen sets shrink to none, and leave out the output; each is a run of layers from the input."""
    frozen = [unfreezing.frozen(layers, epoch) for epoch in range(200)]

    assert all(later <= sooner for sooner, later in pairwise(frozen))
    assert all(layers[-1] not in some for some in frozen)
    assert all(some == frozenset(layers[: len(some)]) for some in frozen)
    assert not frozen[-1]


def test_one_more_layer_learns_after_so_many_epochs() -> None:
    """With 2 epochs per layer, epochs 0 and 1 train the output, 2 and 3 one layer more, and so on."""
    learning = [4 - len(GradualUnfreezing(epochs=2).frozen(LAYERS, epoch)) for epoch in range(8)]

    assert learning == [1, 1, 2, 2, 3, 3, 4, 4]
    assert GradualUnfreezing().frozen(LAYERS, 1) == {"embedding", "hidden1"}


# averages


def averaged(averaging: Averaging, weights: Sequence[float], steps_per_epoch: int) -> float:
    """Return the average after all steps, made one share at a time from an average that is no number."""
    average, epochs = math.nan, len(weights) // steps_per_epoch
    for step, w in enumerate(weights, start=1):
        share = averaging.share(step, steps_per_epoch, epochs)
        if share == 1:
            average = w
        elif share:
            average += share * (w - average)
    return average


@every("averaging", Averaging)
@pytest.mark.parametrize(("steps_per_epoch", "epochs"), [(1, 1), (1, 9), (7, 1), (5, 20), (24, 30)])
def test_shares_build_an_average_of_weights_that_were_there(
    averaging: Averaging, steps_per_epoch: int, epochs: int
) -> None:
    """Shares lie in [0, 1], the first is 1, the last step has one, and equal weights are their average."""
    steps = range(1, steps_per_epoch * epochs + 1)
    shares = [averaging.share(step, steps_per_epoch, epochs) for step in steps]

    assert all(0 <= share <= 1 for share in shares)
    assert next(filter(None, shares)) == 1
    assert shares[-1] > 0
    assert averaged(averaging, [3.5] * len(shares), steps_per_epoch) == 3.5


@pytest.mark.parametrize(
    ("start", "epochs", "first"), [(0.75, 100, 75), (0.07, 100, 7), (0.0, 8, 1), (0.5, 7, 4), (0.99, 3, 3)]
)
def test_swa_is_the_plain_mean_of_the_last_epochs(start: float, epochs: int, first: int) -> None:
    """The average is the mean of the weights at the ends of epochs ``first`` to the last."""
    draw = random.Random(4)
    weights = [draw.gauss(0, 1) for _ in range(6 * epochs)]
    expected = fmean(weights[6 * epoch - 1] for epoch in range(first, epochs + 1))

    assert averaged(Swa(start=start), weights, 6) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 10, 80, 83, 400])
def test_ema_is_its_closed_form(steps: int) -> None:
    """The weights of wᵢ are C(i+7, 8)/C(m+8, 9) up to step m, where decay takes over, and decayⁿ⁻ⁱ later."""
    decay, draw = 0.9, random.Random(5)
    weights = [draw.gauss(0, 1) for _ in range(steps)]
    m = min(steps, 82)  # 9/(82 + 8) = 1 − 0.9
    warm = sum(comb(i + 7, 8) * w for i, w in enumerate(weights[:m], start=1)) / comb(m + 8, 9)
    late = sum((1 - decay) * decay ** (steps - i) * weights[i - 1] for i in range(m + 1, steps + 1))
    expected = decay ** (steps - m) * warm + late

    assert averaged(Ema(decay=decay), weights, 1) == pytest.approx(expected, rel=1e-9)


def test_ema_forgets_where_it_began_however_slow_it_is() -> None:
    """After 100 steps at decay 0.9999 the first ten weights make up less than a millionth of the average."""
    early = [1.0] * 10 + [0.0] * 90

    assert averaged(Ema(decay=0.9999), early, 1) < 1e-6
    assert averaged(Ema(decay=0.0), [*early, 7.0], 1) == 7.0

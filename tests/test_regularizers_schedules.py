"""Laws of every schedule: when training ends, and which epoch is kept."""

from __future__ import annotations

import math
import random

import pytest

from studylib.regularizers import EXAMPLES
from studylib.regularizers.base import Schedule
from studylib.regularizers.early_stopping import EarlyStopping


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


@pytest.mark.parametrize(
    "schedule", [e for e in EXAMPLES.values() if isinstance(e, Schedule)], ids=lambda e: type(e).__name__
)
def test_a_schedule_keeps_the_best_epoch_and_lets_progress_go_on(schedule: Schedule) -> None:
    """Falling losses are never stopped; a loss that is not a number is never kept when there is another."""
    falling = [float(100 - epoch) for epoch in range(50)]

    assert not any(schedule.stop(falling[:n]) for n in range(51))
    assert schedule.best(falling) == 49
    assert schedule.best([math.nan, 2.0, math.nan]) == 1
    assert schedule.best([math.nan, math.nan]) == 0

"""What a schedule may make of the strength of a technique: whatever the technique itself would allow."""

from __future__ import annotations

from typing import Any

import pytest
from torch import nn

from studylib.errors import StudyError
from studylib.regularizers import EXAMPLES, make
from studylib.regularizers.base import Regularizer
from studylib.trainers.techniques import Techniques


def in_the_last_epoch(technique: Regularizer, end: float) -> Any:
    """Return ``technique`` as it is after a schedule has raised its strength to ``end`` times what it was."""
    schedule = make("strength_schedule", technique=technique.name, shape="rising", end=end, epochs=4)
    techniques = Techniques([technique, schedule], seed=1, device="cpu")
    techniques.turn(4, 5, ([1.0] * 4, [1.0] * 4), nn.Sequential())
    return techniques.live(technique)


@pytest.mark.parametrize(
    ("name", "settings", "end", "told"),
    [
        ("dropout", {"rate": 0.5}, 2.0, r"^dropout\.rate: expected less than 1, got 1\.0\. It is 0\.5 × 2,"),
        ("dropconnect", {"rate": 0.4}, 3.0, r"^dropconnect\.rate: expected less than 1, got 1\.2"),
        (
            "label_smoothing",
            {"strength": 0.5},
            3.0,
            r"^label_smoothing\.strength: expected less than 1, got 1\.5",
        ),
        (
            "cutmix",
            {"probability": 1.0},
            2.0,
            r"^cutmix\.probability: expected less than or equal to 1, got 2",
        ),
        ("flip", {"axis": "vertical", "probability": 0.8}, 2.0, r"^flip\.probability: .* 1, got 1\.6"),
        ("l1", {"strength": 0.5}, 1e6, None),
    ],
)
def test_a_strength_stays_in_the_range_of_the_setting(
    name: str, settings: dict[str, Any], end: float, told: str | None
) -> None:
    """A rate of 1, which would divide 0 by 0, and a share above 1 are errors that say what led there."""
    if told:
        with pytest.raises(StudyError, match=told + r".*as a schedule of this arm asks for\. Lower one"):
            in_the_last_epoch(make(name, **settings), end)
    else:
        assert in_the_last_epoch(make(name, **settings), end)


@pytest.mark.parametrize(
    "technique", [one for one in EXAMPLES.values() if one.dial()], ids=lambda one: one.name
)
@pytest.mark.parametrize("factor", [0.5, 0.0])
def test_every_technique_may_be_turned_down(technique: Regularizer, factor: float) -> None:
    """Half of a strength, and none of it, are in the range of every technique that has one."""
    turned, dial = in_the_last_epoch(technique, factor), technique.dial()

    assert getattr(turned, dial) == factor * getattr(technique, dial)

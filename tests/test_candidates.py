"""Settings that are left open: which candidates they stand for, and what is said of the one that is taken."""

from __future__ import annotations

from itertools import pairwise
from math import log

import pytest

from studylib.components import build
from studylib.errors import ParameterError
from studylib.regularizers import make
from studylib.trainers.candidates import Range, Settings, choices, chosen, expand


@pytest.mark.parametrize(("low", "high", "points"), [(0.001, 1.0, 7), (0.3, 0.7, 2), (1e-6, 1e6, 200)])
def test_a_range_is_even_in_the_logarithm(low: float, high: float, points: int) -> None:
    """Each value is the last one times the same factor, from exactly ``low`` to exactly ``high``."""
    values = Range(low=low, high=high, points=points).values()
    steps = [log(b / a) for a, b in pairwise(values)]

    assert (values[0], values[-1], len(values)) == (low, high, points)
    assert steps == pytest.approx([log(high / low) / (points - 1)] * (points - 1), rel=1e-9)


def test_a_range_of_decades_is_decades() -> None:
    """Four points from 0.001 to 1 are the powers of ten."""
    assert Range(low=0.001, high=1.0, points=4).values() == pytest.approx([0.001, 0.01, 0.1, 1.0], rel=1e-12)
    assert build(Range, {"low": 1, "high": 100}, "").points == 10


def test_a_fixed_setting_is_one_candidate() -> None:
    """What leaves nothing open stands for itself, and nothing is said of a choice."""
    settings: Settings = {"l1": {"strength": 0.1}, "early_stopping": {"patience": 3}}

    assert expand(settings, "arm") == [settings]
    assert choices(settings) == [(make("l1", strength=0.1), make("early_stopping", patience=3))]
    assert chosen(settings, 0) == {}
    assert choices({}) == [()]
    assert choices({"batch_norm": {}}) == [(make("batch_norm"),)]


def test_open_settings_multiply() -> None:
    """Every combination is a candidate: a list of 2, a range of 3 and a list of 2 are 12."""
    settings: Settings = {
        "elastic_net": {"strength": {"low": 0.01, "high": 1.0, "points": 3}, "mix": [0.2, 0.8]},
        "dropout": {"rate": [0.1, 0.5], "layers": "hidden1"},
    }
    candidates = expand(settings, "arm")
    named = [
        (c["elastic_net"]["strength"], c["elastic_net"]["mix"], c["dropout"]["rate"]) for c in candidates
    ]

    assert len(named) == len(set(named)) == 12
    assert {mix for _, mix, _ in named} == {0.2, 0.8}
    assert {round(strength, 12) for strength, _, _ in named} == {0.01, 0.1, 1.0}
    assert all(c["dropout"]["layers"] == "hidden1" for c in candidates)
    assert settings["dropout"]["rate"] == [0.1, 0.5]  # what was asked for stays as it was


def test_what_was_taken_is_named() -> None:
    """For each candidate, ``chosen_<regularizer>_<setting>`` gives the values that it was built with."""
    settings: Settings = {
        "elastic_net": {"strength": [0.01, 0.1], "mix": [0, 0.5, 1]},
        "dropout": {"rate": 0.5},
    }
    for number, (net, dropout) in enumerate(choices(settings)):
        values = net.model_dump()

        assert chosen(settings, number) == {
            "chosen_elastic_net_strength": values["strength"],
            "chosen_elastic_net_mix": values["mix"],
        }
        assert dropout == make("dropout", rate=0.5)


def test_a_taken_value_that_is_no_number_is_named_by_its_place() -> None:
    """Patterns and words can be chosen among as well; a metric is a number, so it says which one."""
    settings: Settings = {"l2": {"strength": [0.1, 0.2], "layers": ["hidden*", "output"]}}
    taken = [chosen(settings, number) for number in range(4)]

    assert [t["chosen_l2_strength"] for t in taken] == [0.1, 0.1, 0.2, 0.2]
    assert [t["chosen_l2_layers"] for t in taken] == [0.0, 1.0, 0.0, 1.0]
    assert [l2.model_dump()["layers"] for (l2,) in choices(settings)] == ["hidden*", "output"] * 2


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"l1": {"strength": []}}, "arms.a.l1.strength: expected at least one value to choose from"),
        (
            {"l1": {"strength": {"low": 1.0, "high": 0.1}}},
            r"arms.a.l1.strength: expected low < high, .*1 and .*0\.1",
        ),
        (
            {"l1": {"strength": {"low": 0.0, "high": 1.0}}},
            "arms.a.l1.strength.low: expected greater than 0 where log is true, got 0",
        ),
        ({"l1": {"strength": {"low": 0.1}}}, "arms.a.l1.strength.high: missing"),
        (
            {"l1": {"strength": {"low": 0.1, "hihg": 1.0}}},
            "arms.a.l1.strength: unknown setting 'hihg'. Did you mean 'high'",
        ),
        (
            {"l1": {"strength": {"low": 0.1, "high": 1.0, "points": 1}}},
            "arms.a.l1.strength.points: expected .*2",
        ),
        (
            {"l1": {"strength": [0.1, -0.1]}},
            "arms.a.l1.strength: expected greater than or equal to 0, got -0.1",
        ),
        ({"l1": {"strength": [0.1, "much"]}}, "arms.a.l1.strength: expected a valid number, got 'much'"),
        ({"l1": {"srength": [0.1]}}, "arms.a.l1: unknown setting 'srength'. Did you mean 'strength'"),
        ({"l11": {"strength": [0.1]}}, "arms.a: unknown regularizer 'l11'. Did you mean 'l1'"),
        (
            {"cutout": {"size": {"low": 1.5, "high": 5.0}}},
            "arms.a.cutout.size.low: expected a valid integer, got 1.5",
        ),
    ],
)
def test_what_cannot_be_chosen_among_is_refused_with_its_place(settings: Settings, complaint: str) -> None:
    """Empty lists, ranges that are none, and values out of range are told where they stand."""
    with pytest.raises(ParameterError, match=f"(?m)^{complaint}"):
        choices(settings, "arms.a")

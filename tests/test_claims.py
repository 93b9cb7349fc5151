"""Published numbers beside ours: one rule, drawn from both errors, and no number typed into a result."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Any

import pytest

from studylib import claims, metrics, runs, sources
from studylib.claims import Claim, outcome
from studylib.records import Fit, Record

CLAIM = Claim(
    what="a network",
    study="vision",
    dataset="fashion_mnist",
    settings={"train": 50_000},
    arm="none",
    metric="test_accuracy",
    printed="90.0",
    value=0.9,
    rounding=0.0005,
    protocol="the official test",
)
ALL = [(source.name, claim) for source in claims.sources() for claim in source.claims]


def record(values: list[float], run: str = "benchmark-fashion_mnist", **settings: Any) -> Record:
    """Return a record with these accuracies of the arm ``none``, a point more for ``mixup``."""
    dataset = {"name": "fashion_mnist", "train": 50_000, **settings}
    fits = [
        Fit(arm, seed, metrics={"test_accuracy": value + more})
        for arm, more in (("none", 0.0), ("mixup", 0.01))
        for seed, value in enumerate(values)
    ]
    params = {"dataset": dataset, "arms": {"none": {}, "mixup": {}}, "metric": "test_accuracy"}
    return Record("vision", run, params, {"name": "fashion_mnist"}, tuple(fits), {})


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([0.90, 0.90, 0.90], "reproduced"),
        ([0.905, 0.895, 0.902], "reproduced"),
        ([0.93, 0.93, 0.93], "better than published"),
        ([0.86, 0.86, 0.86], "not reproduced"),
        ([0.9], "not comparable"),
        ([0.7, 1.0], "not comparable"),
    ],
)
def test_a_verdict_follows_from_both_numbers_and_their_doubts(values: list[float], verdict: str) -> None:
    """Agreement, a better or a worse number, too few seeds, an interval that anything would agree with."""
    assert outcome(CLAIM, [record(values)]).verdict == verdict


def test_the_tolerance_is_that_of_the_rule() -> None:
    """√(h²·(1 + n/k) + (1.96·u)²) + r; a published standard error stands for the luck of their seeds."""
    values = [0.895, 0.902, 0.905]
    one = outcome(replace(CLAIM, runs=10), [record(values)])
    assert one.ours is not None
    h = one.ours.high - one.ours.mean
    p = (0.9 * 500 + 2) / 504

    assert one.tolerance == pytest.approx(h * sqrt(1.3) + 0.0005)
    assert outcome(replace(CLAIM, se=0.02), [record(values)]).tolerance == pytest.approx(
        sqrt(h**2 + (1.96 * 0.02) ** 2) + 0.0005
    )
    assert outcome(replace(CLAIM, test_rows=500), [record(values)]).tolerance == pytest.approx(
        sqrt(h**2 * 4 + 1.96**2 * p * (1 - p) / 504) + 0.0005
    )


def test_a_range_is_met_inside_and_at_its_nearer_end() -> None:
    """What lies between two published numbers agrees with both."""
    between = replace(CLAIM, value=0.876, upto=0.925)

    assert outcome(between, [record([0.91, 0.91])]).verdict == "reproduced"
    assert outcome(between, [record([0.94, 0.94])]).verdict == "better than published"
    assert outcome(between, [record([0.85, 0.85])]).verdict == "not reproduced"


def test_without_a_run_nothing_is_claimed() -> None:
    """Records of other data, settings, suites or arms are not ours to be held against it."""
    others = [
        record([0.9, 0.9], train=1000),
        record([0.9, 0.9], run="mine"),
        record([0.9, 0.9], name="digits"),
        replace(record([0.9, 0.9]), study="text"),
    ]

    assert outcome(CLAIM, others).verdict == "not run yet"
    assert outcome(replace(CLAIM, arm="shift"), [record([0.9, 0.9])]).verdict == "not run yet"


def test_the_benchmark_run_counts_before_the_quick_one() -> None:
    """A quick run may reproduce a number, and is never blamed for falling short of it."""
    quick = record([0.86, 0.86, 0.86], run="quick-fashion_mnist")
    whole = record([0.9, 0.9, 0.9])

    assert outcome(CLAIM, [quick]).verdict == "not comparable"
    assert "quick run" in outcome(CLAIM, [quick]).why
    assert outcome(CLAIM, [quick, whole]).record is whole
    assert outcome(CLAIM, [record([0.9, 0.9], run="quick-x")]).verdict == "reproduced"


def test_a_difference_of_two_arms_is_taken_seed_by_seed() -> None:
    """A gain is the mean of paired differences, whatever the level."""
    gain = replace(CLAIM, arm="mixup", against="none", value=0.01, printed="+1.0", rounding=0.0005)

    one = outcome(gain, [record([0.8, 0.9, 0.7])])

    assert one.verdict == "reproduced"
    assert one.ours is not None
    assert one.ours.mean == pytest.approx(0.01)


def test_what_cannot_be_compared_is_shown_and_not_judged() -> None:
    """Ours stands beside it all the same."""
    one = outcome(replace(CLAIM, incomparable="another network"), [record([0.5, 0.5])])

    assert (one.verdict, one.why) == ("not comparable", "another network")
    assert one.ours is not None


def test_what_is_computed_is_held_to_every_printed_digit() -> None:
    """It is reproduced if it prints the same."""
    assert outcome(replace(CLAIM, computed=lambda: "90.0"), []).verdict == "reproduced"
    assert outcome(replace(CLAIM, computed=lambda: "90.1"), []).verdict == "not reproduced"


COMPARED = [one for one in ALL if not (one[1].computed or one[1].incomparable)]


@pytest.mark.parametrize("claim", [one[1] for one in COMPARED], ids=[f"{n}: {c.what}" for n, c in COMPARED])
def test_what_is_compared_can_be_run(claim: Claim) -> None:
    """There is a params file with the data, the settings and the arm that a claim names."""
    assert claim.study in sources.studies()
    arms = {
        arm.name
        for one in runs.of_suite("benchmark", [claim.study])
        if one.params.dataset.name == claim.dataset
        and all(getattr(one.params.dataset, key) == value for key, value in claim.settings.items())
        for arm in one.params.arms
    }

    assert claim.arm in arms


@pytest.mark.parametrize("claim", [one for _, one in ALL], ids=[f"{name}: {one.what}" for name, one in ALL])
def test_a_claim_is_whole(claim: Claim) -> None:
    """It says how it was measured, by a metric that there is, and names an arm or why none is compared."""
    assert claim.protocol
    assert claim.computed or claim.metric in metrics.KEYS
    assert claim.computed or claim.arm or claim.incomparable
    assert claim.rounding >= 0

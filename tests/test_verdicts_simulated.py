"""What verdicts promise, held against whole studies that are drawn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from simulation import reach, t_p

from studylib.compare import contrasts
from studylib.records import Contrast, Fit, Record
from studylib.statistics import judged, seeds_to_decide

NULLS = 8_000  # studies in which all arms are the baseline
SEEDS = (5, 10, 20)
ALPHA = 0.05


def record(numbers: np.ndarray, effect: float) -> Record:
    """Make the record of a study from an accuracy per arm and seed; the first arm is the baseline."""
    names = ["none", *(f"arm {k}" for k in range(1, len(numbers)))]
    fits = tuple(
        Fit(name, seed, metrics={"test_accuracy": float(value)})
        for name, row in zip(names, numbers, strict=True)
        for seed, value in enumerate(row)
    )
    params: Mapping[str, object] = {
        "metric": "test_accuracy",
        "smallest_effect": effect,
        "arms": {name: {} for name in names},
    }
    return Record("vision", "drawn", params, {"name": "drawn", "sha256": "ab"}, fits, {})


def alarms(numbers: np.ndarray) -> tuple[float, float]:
    """Return the shares of studies in which an arm is better or worse: by the rule, and by t tests alone.

    Numbers are (studies, arms, seeds). Holm finds a difference where the smallest p times their number is
    below 5 %; no p that counts is below the t test's, so only arms whose t test could do that are looked at.
    """
    differences = numbers[:, 1:] - numbers[:, :1]
    arms = differences.shape[1]
    near = t_p(differences) * arms < ALPHA
    called = {
        k: any(judged(d, 0).p * arms < ALPHA for d in differences[k][near[k]])
        for k in np.flatnonzero(near.any(1))
    }
    for k, wrong in [*called.items()][:20]:
        verdicts = {c.verdict for c in contrasts(record(numbers[k], 1e-9))}
        assert wrong == bool(verdicts & {"better", "worse"})
    return sum(called.values()) / len(numbers), len(called) / len(numbers)


@pytest.mark.parametrize("arms", [3, 10])
@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("spread", [0.0, 0.7, 2.5])
def test_names_alone_are_called_better_or_worse_in_at_most_5_percent_of_studies(
    spread: float, seeds: int, arms: int
) -> None:
    """All arms are the baseline; accuracies are exact, or counted in 100 test rows, so many their spread."""
    rng = np.random.default_rng([seeds, arms, int(10 * spread)])
    luck = rng.normal(0.9, 0.03, (NULLS, 1, seeds))
    numbers = luck + rng.normal(0, (spread or 1) / 100, (NULLS, arms, seeds))
    by_rule, _ = alarms(np.round(numbers, 2) if spread else numbers)

    assert by_rule <= 0.05


@pytest.mark.parametrize("rows", [100, 360])
@pytest.mark.parametrize("seeds", [2, 3, 4])
def test_very_few_seeds_of_a_small_test_set_do_not_raise_false_alarms(seeds: int, rows: int) -> None:
    """With accuracies counted in test rows, equal differences are common, and still no proof."""
    rng = np.random.default_rng([seeds, rows])
    numbers = rng.normal(0.9, 0.03, (NULLS, 1, seeds)) + rng.normal(0, 0.01, (NULLS, 3, seeds))
    by_rule, _ = alarms(np.round(numbers * rows) / rows)

    assert by_rule <= 0.05


def test_the_t_test_alone_would_raise_more_alarms_with_few_test_rows() -> None:
    """What the sign-flip test is for: 5 seeds, 11 arms, 100 test rows and a spread of one row."""
    by_rule, by_t = alarms(np.round(np.random.default_rng(2).normal(0.9, 0.01, (NULLS, 11, 5)), 2))

    assert by_t > 0.05
    assert by_rule < 0.02


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("rounded", [False, True])
def test_equivalence_is_claimed_wrongly_in_at_most_5_percent_of_studies(seeds: int, *, rounded: bool) -> None:
    """The true difference of all three arms is the smallest effect itself, exact or in 100 test rows."""
    rng = np.random.default_rng([seeds, rounded])
    effects = np.array([0, 0.02, 0.02, -0.02])[:, None]
    numbers = 0.9 + effects + rng.normal(0, 0.01, (1_200, 4, seeds))
    numbers = np.round(numbers, 2) if rounded else numbers
    d = numbers[:, 1:] - numbers[:, :1]
    near = np.flatnonzero((np.abs(d.mean(-1)) + reach(d) < 0.02 + 1e-9).any(1))
    wrong = [any(c.verdict == "equivalent" for c in contrasts(record(numbers[k], 0.02))) for k in near]

    assert sum(wrong) / len(numbers) <= 0.05


def continued(d: np.ndarray, more: int, studies: int = 1_500) -> np.ndarray:
    """Return differences that go on after ``d`` by ``more`` normal ones of the same mean and spread."""
    drawn = np.random.default_rng(7).normal(d.mean(), d.std(ddof=1), (studies, more))
    return np.concatenate([np.tile(d, (studies, 1)), drawn], axis=1)


@pytest.mark.parametrize("mean", [1.0, 0.1])
def test_as_many_seeds_as_are_named_decide_in_about_80_percent_of_studies(mean: float) -> None:
    """Were the truth as the first ten seeds show it: by the verdicts themselves, both kinds of them."""
    d = np.array([-1.5, -1.0, -0.7, -0.3, -0.1, 0.1, 0.3, 0.7, 1.0, 1.5])
    d = mean + d * 1.6 / d.std(ddof=1)
    (first,) = against_nothing(d)
    assert first.verdict == "undecided"
    assert first.more_seeds is not None
    studies = continued(d, first.more_seeds, 160)
    decided = [against_nothing(row)[0].verdict != "undecided" for row in studies]

    assert np.mean(decided) == pytest.approx(0.8, abs=0.065)


def against_nothing(d: np.ndarray) -> tuple[Contrast, ...]:
    """Return the contrast of an arm with these differences, at a smallest effect of 0.5."""
    return contrasts(record(np.stack([np.zeros(len(d)), d]), 0.5))


def test_what_ten_seeds_name_decides_most_studies_whatever_the_truth_is() -> None:
    """The chance that is stated for a guess: nine of ten for a true difference well above the margin."""
    rng = np.random.default_rng(3)
    seen = [d for d in rng.normal(0.7, 1, (300, 10)) if not decides(d)]
    pairs = [seeds_to_decide(list(d), 0.4) for d in seen]
    ended = [
        decides(np.concatenate([d, rng.normal(0.7, 1, n - 10)]))
        for d, n in zip(seen, pairs, strict=True)
        if n
    ]

    assert len(ended) > 100
    assert 0.85 < np.mean(ended) < 0.98


def decides(d: np.ndarray) -> bool:
    """Say whether these differences are better, worse or equivalent at a smallest effect of 0.4."""
    mean, half = abs(d.mean()), reach(d)
    return bool((half < mean and mean >= 0.4) or mean + half < 0.4)


def test_with_fewer_seeds_than_named_fewer_studies_are_decided() -> None:
    """Half as many more decide in clearly fewer than 80 % of them."""
    d = np.array([-0.9, -0.2, 0.3, 0.8, 1.1, 2.1])
    pairs = seeds_to_decide(list(d), 0.1)
    assert pairs is not None
    full, half = (continued(d, more) for more in (pairs - 6, (pairs - 6) // 2))

    assert np.mean(t_p(full) < ALPHA) == pytest.approx(0.8, abs=0.05)
    assert np.mean(t_p(half) < ALPHA) < 0.72


def test_a_skewed_scale_keeps_false_alarms_rare_where_arms_are_alike() -> None:
    """Losses of lognormal seeds: each arm is skewed, their differences are not, and p < 5 % stays rare."""
    rng = np.random.default_rng(9)
    for pairs in SEEDS:
        d = rng.lognormal(size=(6_000, pairs)) - rng.lognormal(size=(6_000, pairs))
        found = [judged(list(row), 0).p < ALPHA for row in d[t_p(d) < ALPHA]]

        assert sum(found) / len(d) < 0.05

"""Verdicts that keep their promises, sentences that claim no more, and two records side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf, isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from studylib.compare import arm_means, changes, concluded, contrasts, headline, meaning, spoken, table
from studylib.errors import ParameterError
from studylib.metrics import KEYS
from studylib.records import Contrast, Fit, Record
from studylib.statistics import resampled_interval, seeds_to_decide, sign_flip_p

Numbers = Mapping[str, list[float]]


def record(numbers: Numbers, metric: str = "test_accuracy", effect: float = 0.005, **other: Any) -> Record:
    """Make the record of a study whose arms measured ``numbers``, one per seed, the baseline first."""
    fits = tuple(
        Fit(arm, seed, metrics={metric: value}, curves={"train_loss": [1.0, value]})
        for arm, found in numbers.items()
        for seed, value in enumerate(found)
    )
    params = {"metric": metric, "smallest_effect": effect, "arms": {arm: {} for arm in numbers}}
    whole: dict[str, Any] = {
        "study": "vision",
        "run": "default",
        "params": params | {"training": {"epochs": 30}},
        "dataset": {"name": "digits", "sha256": "ab", "unit": ""},
        "fits": fits,
        "versions": {"torch": "2"},
    }
    return Record(**whole | other)


def drawn(effects: Mapping[str, float], seeds: int = 10, spread: float = 0.01, draw: int = 0) -> Numbers:
    """Draw an accuracy per arm and seed: a luck that the arms of a seed share, an effect, and noise."""
    rng = np.random.default_rng(draw)
    luck = rng.normal(0.9, 0.02, seeds)
    return {arm: list(luck + effect + rng.normal(0, spread, seeds)) for arm, effect in effects.items()}


def steady(mean: float, seeds: int = 10) -> list[float]:
    """Return numbers of that mean with a spread of about 0.001 that differs from seed to seed."""
    return [mean + 0.001 * (-1) ** seed * (1 + seed // 2 / 10) for seed in range(seeds)]


LIKE = Contrast("a", "test_accuracy", "none", 0.02, 0.01, 0.03, 0.95, 0.01, 0.01, "better", 10)
MIXED = record(
    {
        "none": [0.9] * 10,
        "mixup": steady(0.921),
        "shift": steady(0.912),
        "dropout": steady(0.85),
        "label smoothing": steady(0.901),
        "cutout": [0.9 + 0.06 * (-1) ** seed for seed in range(9)] + [0.93],
    }
)


def test_contrasts_are_scipys_paired_tests_with_holm_over_the_arms() -> None:
    """Difference, interval and p are those of ttest_rel; the smallest p counts for each arm once."""
    numbers = drawn({"none": 0, "a": 0.004, "b": 0.01, "c": -0.02})
    found = {c.arm: c for c in contrasts(record(numbers))}
    peers = {arm: stats.ttest_rel(numbers[arm], numbers["none"]) for arm in "abc"}

    assert list(found) == ["a", "b", "c"]
    for arm, peer in peers.items():
        bounds = peer.confidence_interval(0.95)
        assert (found[arm].low, found[arm].high) == pytest.approx((bounds.low, bounds.high))
        assert found[arm].p == pytest.approx(peer.pvalue)
        assert (found[arm].pairs, found[arm].baseline, found[arm].level) == (10, "none", 0.95)
    smallest = min(found.values(), key=lambda c: c.p)
    assert smallest.p_holm == pytest.approx(3 * smallest.p)


def test_each_verdict_comes_up_where_its_rule_says() -> None:
    """Better, worse, equivalent and undecided, in one study."""
    verdicts = {c.arm: c.verdict for c in contrasts(MIXED)}

    assert verdicts == {
        "mixup": "better",
        "shift": "better",
        "dropout": "worse",
        "label smoothing": "equivalent",
        "cutout": "undecided",
    }


def test_a_difference_surely_too_small_to_matter_is_equivalent() -> None:
    """An arm whose p is far below 5 %, but whose interval lies within the smallest effect, is not better."""
    numbers = {"none": [0.9] * 10, "a": steady(0.902)}
    (found,) = contrasts(record(numbers, effect=0.005))

    assert found.p_holm < 0.01
    assert found.low > 0
    assert found.verdict == "equivalent"


def test_a_sure_difference_below_the_smallest_effect_is_not_better() -> None:
    """Neither better nor equivalent is proven where the interval reaches across the smallest effect."""
    (found,) = contrasts(record({"none": [0.9] * 10, "a": steady(0.902)}, effect=0.0022))

    assert found.low > 0
    assert found.verdict == "undecided"


def test_lower_is_better_where_the_metric_says_so() -> None:
    """The same numbers, read as an error, turn better into worse."""
    numbers = {"none": [0.9] * 10, "a": steady(0.95)}

    assert contrasts(record(numbers))[0].verdict == "better"
    assert contrasts(record(numbers, metric="test_rmse"))[0].verdict == "worse"


def test_an_equivalent_arm_has_its_whole_interval_within_the_smallest_effect() -> None:
    """No verdict claims more than the interval beside it, and some arms are equivalent."""
    found = [
        c
        for n in range(200)
        for c in contrasts(record(drawn({"none": 0.0, "same": 0.001}, spread=0.004, draw=n)))
        if c.verdict == "equivalent"
    ]

    assert len(found) > 20
    assert all(-0.005 < c.low <= c.high < 0.005 for c in found)


def test_only_seeds_that_both_finished_are_paired() -> None:
    """A diverged fit or a number that is not finite takes its pair away; fewer than two say nothing."""
    whole = record({"none": [0.9, 0.91, 0.92], "a": [0.95, 0.96, 0.97], "b": [0.5, 0.5, 0.5]})
    fits = [
        replace(f, status="diverged", metrics={}) if (f.arm, f.seed) == ("a", 1) else f for f in whole.fits
    ]
    fits = [replace(f, metrics={"test_accuracy": inf}) if f.arm == "b" and f.seed else f for f in fits]
    a, b = contrasts(replace(whole, fits=tuple(fits)))

    assert a.pairs == 2
    assert a.difference == pytest.approx(0.05)
    assert (b.pairs, b.low, b.high, b.p, b.p_holm, b.verdict) == (1, -inf, inf, 1.0, 1.0, "undecided")
    assert b.difference == pytest.approx(-0.4)


def test_another_metric_has_no_smallest_effect_and_another_baseline_is_possible() -> None:
    """The smallest effect is in the unit of the deciding metric: nothing else can be equivalent by it."""
    fits = tuple(
        Fit(arm, seed, metrics={"test_accuracy": 0.9, "test_nll": value})
        for arm, found in {"none": [0.5] * 10, "a": steady(0.502)}.items()
        for seed, value in enumerate(found)
    )
    whole = record({"none": [], "a": []}, fits=fits)

    assert contrasts(whole)[0].verdict == "equivalent"
    assert contrasts(whole, "test_nll")[0].verdict == "worse"
    assert contrasts(whole, "test_nll", baseline="a")[0].verdict == "better"


def test_what_was_not_measured_is_refused_by_name() -> None:
    """A wrong metric or arm names the nearest right one; a number without a direction gets no verdict."""
    with pytest.raises(
        ParameterError, match=r"vision/default: unknown metric 'test_acuracy'.*'test_accuracy'"
    ):
        contrasts(MIXED, "test_acuracy")
    with pytest.raises(ParameterError, match=r"unknown arm 'non'\. Did you mean 'none'"):
        contrasts(MIXED, baseline="non")
    with pytest.raises(ParameterError, match="unknown metric 'train_loss'"):
        arm_means(MIXED, "train_loss")


def test_a_contrast_says_how_it_was_decided_and_what_else_is_known() -> None:
    """Test, sign-flip p, win rate, bounds for new data and further seeds are those of the statistics."""
    data = {"name": "digits", "sha256": "ab", "split": {"train": 400, "validation": 100, "test": 200}}
    numbers = drawn({"none": 0, "a": 0.001}, 8, draw=1)
    (found,) = contrasts(record(numbers, dataset=data))
    d = [a - b for a, b in zip(numbers["a"], numbers["none"], strict=True)]
    wide, pairs = resampled_interval(d, 400, 200), seeds_to_decide(d, 0.005)

    assert (found.decided_by, found.p_sign_flip) == ("t", sign_flip_p(d))
    assert (found.cautious_low, found.cautious_high) == (wide.low, wide.high)
    assert found.high - found.low < wide.high - wide.low
    assert found.win_rate == np.mean([one > 0 for one in d])
    assert found.verdict == "undecided"
    assert pairs is not None
    assert found.more_seeds == pairs - 8
    assert contrasts(record(numbers))[0].cautious_low is None


def test_a_decided_arm_asks_for_no_seeds_and_a_lower_error_wins() -> None:
    """More seeds are named for what is open only; the win rate counts what is better."""
    (found,) = contrasts(record({"none": [0.9] * 10, "a": steady(0.95)}, metric="test_rmse"))

    assert (found.verdict, found.more_seeds, found.win_rate) == ("worse", None, 0.0)


@pytest.mark.parametrize("key", [key for key in KEYS if not key.startswith(("train", "validation"))])
def test_every_metric_says_in_plain_words_what_a_difference_means(key: str) -> None:
    """A phrase with a number, another for the other direction, and none that depends on the key's words."""
    up, down = (meaning(replace(LIKE, metric=key, difference=d), MIXED) for d in (0.0213, -0.0213))

    assert up != down
    assert any(digit in up for digit in "0123456789")
    assert key not in up


def test_the_headline_says_what_the_verdicts_and_the_interval_say() -> None:
    """Best arm with size and interval, the other verdicts, the margin, and what would decide the rest."""
    assert headline(contrasts(MIXED), MIXED) == (
        "Mixup raised the test accuracy by 2.10 points, 95 % interval 2.01 to 2.19, 10 paired seeds, "
        "by the sign-flip test; shift was also better; dropout was worse; "
        "label smoothing was equivalent to none within 0.5 points; "
        "cutout stays undecided (about 520 more seeds might decide). "
        "In plain words: about 21 more right answers in 1\N{NO-BREAK SPACE}000 cases."
    )


def test_the_headline_says_that_nothing_else_was_found() -> None:
    """Where one arm is better and the rest is open, the sentence says so, and names the rest."""
    numbers = {
        "no regularization": [0.9] * 5,
        "mixup": [0.92, 0.918, 0.923, 0.921, 0.919],
        "cutout": [0.9, 0.93, 0.89, 0.92, 0.87],
    }
    images = {"name": "digits", "sha256": "ab", "inputs": [1, 8, 8]}

    assert concluded(record(numbers, dataset=images)).headline == (
        "Mixup raised the test accuracy by 2.02 points, 95 % interval 1.78 to 2.26, 5 paired seeds; "
        "nothing else was distinguishable from no regularization: "
        "cutout stays undecided (about 490 more seeds might decide). "
        "In plain words: about 20 more right answers in 1\N{NO-BREAK SPACE}000 images."
    )


def test_of_very_few_seeds_the_headline_guesses_no_number() -> None:
    """A spread seen in two seeds says next to nothing of how many more would decide."""
    said = concluded(record({"none": [0.9, 0.91], "a": [0.91, 0.9]})).headline

    assert said.endswith("; a stays undecided (too few seeds to say how many would decide).")


def test_the_headline_says_when_the_seeds_are_too_few_for_the_test_that_is_needed() -> None:
    """Five equal differences prove nothing, however large: the sentence says why, and how many would."""
    rows = {"none": [0.90] * 5, "a": [0.91, 0.91, 0.91, 0.91, 0.92]}

    assert concluded(record(rows)).headline.endswith(
        "; a stays undecided (about 1 more seed might decide; "
        "5 seeds are too few for the sign-flip test that this calls for)."
    )


def test_the_headline_of_an_error_says_that_lower_is_better() -> None:
    """RMSE in the unit of the target, lowered, with the interval in the same direction."""
    numbers = {"none": [55.0] * 5, "ridge": [51.5, 52.4, 51.9, 52.0, 51.7]}
    whole = record(numbers, "test_rmse", 0.5, dataset={"sha256": "ab", "unit": "mg/dl"})

    assert concluded(whole).headline == (
        "Ridge lowered the test RMSE (lower is better) by 3.1 mg/dl, "
        "95 % interval 2.7 to 3.5, 5 paired seeds. "
        "In plain words: predictions are typically off by about 3.1 mg/dl less."
    )


def test_the_headline_claims_nothing_where_nothing_was_found() -> None:
    """Arms that do not differ: no size, no interval, no winner."""
    said = concluded(record(drawn(dict.fromkeys(["none", *"abcd"], 0.0), seeds=5, spread=0.02))).headline

    assert said.startswith(
        "No arm was distinguishably better than none on test accuracy, at a smallest effect of 0.5 points "
        "(5 paired seeds); a, b, c and d stay undecided (about "
    )


def test_long_lists_are_named_in_part() -> None:
    """The first three arms of more than four, and how many more there are."""
    numbers = {"none": [0.9] * 10, "best": steady(0.99)} | {arm: steady(0.95) for arm in "abcd"}
    four = concluded(record(numbers)).headline
    five = concluded(record(numbers | {"e": steady(0.95)})).headline

    assert "; a, b, c and d were also better. In" in four
    assert "; a, b, c and 2 more were also better. In" in five


def test_fits_that_did_not_finish_are_said_in_the_open() -> None:
    """The second sentence counts them by arm and status."""
    fits = [
        replace(f, status="diverged", metrics={}) if f.arm == "dropout" and f.seed < 2 else f
        for f in MIXED.fits
    ]
    fits[0] = replace(fits[0], status="killed", metrics={})

    assert concluded(replace(MIXED, fits=tuple(fits))).headline.endswith(
        " 3 of 60 fits did not finish: none (1 killed) and dropout (2 diverged)."
    )


def test_a_headline_exists_when_there_is_nothing_to_compare() -> None:
    """Only the baseline, or a baseline that never finished: the sentence says so, and no number appears."""
    alone = record({"none": [0.9, 0.8]})
    broken = replace(
        MIXED,
        fits=tuple(replace(f, status="failed", metrics={}) if f.arm == "none" else f for f in MIXED.fits),
    )

    assert concluded(alone).headline == "Only none was trained: there is nothing to hold against it."
    assert concluded(broken).headline == (
        "Nothing can be said about test accuracy: no arm finished 2 seeds together with none. "
        "10 of 60 fits did not finish: none (10 failed)."
    )
    assert all(isnan(c.difference) and c.verdict == "undecided" for c in contrasts(broken))
    assert spoken("nonzeros") == "number of non-zero weights"


def test_a_concluded_record_survives_the_disk(tmp_path: Path) -> None:
    """Arms keep their order, so the baseline stays; contrasts without pairs become null and come back."""
    whole = record({"none": [0.9, 0.91], "a": [0.95, 0.97], "adam": [0.5, 0.6]})
    fits = tuple(
        replace(f, status="failed", metrics={}) if f.arm == "adam" and f.seed else f for f in whole.fits
    )
    done = concluded(replace(whole, fits=fits))
    done.save(tmp_path / "r.json")
    again = Record.load(tmp_path / "r.json")

    assert again == done
    assert again.baseline == "none"
    assert concluded(again) == done
    assert "Infinity" not in (tmp_path / "r.json").read_text()


def test_the_table_runs_from_good_to_bad() -> None:
    """Best first for an accuracy, lowest first for an error, and the baseline at its difference of zero."""
    numbers = {"none": [0.9, 0.9, 0.9], "up": [0.95, 0.96, 0.94], "down": [0.8, 0.91, 0.85]}
    frame = table(record(numbers))

    assert list(frame["arm"]) == ["up", "none", "down"]
    assert list(table(record(numbers, "test_rmse"))["arm"]) == ["down", "none", "up"]
    assert list(frame["verdict"])[1] == "baseline"
    assert frame.set_index("arm")["win_rate"].to_dict() == pytest.approx(
        {"up": 1.0, "none": np.nan, "down": 1 / 3}, nan_ok=True
    )
    assert frame.set_index("arm")["mean"].to_dict() == pytest.approx(
        arm_means(record(numbers), "test_accuracy")
    )
    for row, c in zip(
        frame.set_index("arm").loc[["up", "down"]].itertuples(), contrasts(record(numbers)), strict=True
    ):
        assert (row.difference, row.low, row.high, row.p_holm) == (c.difference, c.low, c.high, c.p_holm)
        assert (row.verdict, row.pairs) == (c.verdict, c.pairs)


def test_a_record_beside_itself_is_equal_to_the_last_bit() -> None:
    """No line but the arms', and each says so; the difference is exactly zero."""
    found = changes(MIXED, MIXED)

    assert found.lines()[:4] == [
        "vision/default → vision/default, on test_accuracy",
        "params: the same",
        "dataset: the same",
        "versions: the same",
    ]
    assert found.lines()[4] == "none: 90.0 %; all 10 common fits equal to the last bit"
    assert list(found.to_frame()["identical"]) == [10] * 6
    assert set(found.to_frame()["difference"]) == {0.0}


def test_changes_name_what_was_asked_and_what_came_out_differently() -> None:
    """Dotted parameters, versions, arms of one side, and the paired difference of each common arm."""
    before = record({"none": [0.9] * 10, "mixup": steady(0.899), "old": steady(0.9)})
    after = record({"none": [0.9] * 9 + [0.90001], "mixup": steady(0.93), "new": steady(0.9)}, run="wide")
    params = {**after.params, "training": {"epochs": 40}, "seeds": 10}
    found = changes(before, replace(after, params=params, versions={"torch": "3"}))
    moved = "+3.1 points (95 % interval 3.1 to 3.1, 10 paired seeds)"

    assert found.lines() == [
        "vision/default → vision/wide, on test_accuracy",
        "params: training.epochs: 30 → 40",
        "params: seeds: (absent) → 10",
        "dataset: the same",
        "versions: torch: 2 → 3",
        "only in vision/default: old",
        "only in vision/wide: new",
        "none: 90.0 %; +0.00010 points (95 % interval −0.00013 to 0.00033, 10 paired seeds)",
        f"mixup: 89.9 % → 93.0 %; {moved}; equivalent → better",
    ]
    none, mixup = found.arms
    assert (none.fits, none.identical) == (10, 9)
    assert mixup.difference is not None
    assert mixup.difference.mean == pytest.approx(0.031)


def test_records_of_other_data_are_not_paired() -> None:
    """The means stand side by side, without an interval."""
    fits = tuple(replace(fit, metrics={"test_accuracy": 0.5}) for fit in MIXED.fits)
    found = changes(MIXED, replace(MIXED, dataset={"sha256": "cd"}, fits=fits))

    assert "dataset: sha256: ab → cd" in found.lines()
    assert found.lines()[-1].endswith("50.0 %; not paired, as the data differ; undecided → equivalent")
    assert found.to_frame()["low"].isna().all()


def test_fits_without_a_partner_are_told_as_such() -> None:
    """An arm that finished nowhere, or with one common seed, has no interval."""
    fits = tuple(
        replace(f, status="diverged", metrics={}) if f.arm == "mixup" or (f.arm == "shift" and f.seed) else f
        for f in MIXED.fits
    )
    told = {line.split(":")[0]: line for line in changes(MIXED, replace(MIXED, fits=fits)).lines()}

    assert (
        told["mixup"]
        == "mixup: 92.1 % → no fit finished; fewer than 2 paired seeds: no interval; better → undecided"
    )
    assert "; fewer than 2 paired seeds: no interval" in told["shift"]


def test_records_with_nothing_in_common_are_refused() -> None:
    """No common arm, or no common metric: the error says what each has."""
    other = record({"lasso": [1.0, 2.0]}, "test_rmse", study="tabular")
    error = record({"none": [1.0, 2.0]}, "test_rmse", study="tabular")

    with pytest.raises(
        ParameterError, match=r"vision/default and tabular/default have no arm in common: none, m"
    ):
        changes(MIXED, other)
    with pytest.raises(
        ParameterError, match="no arm has test_accuracy or test_rmse of finished fits in both"
    ):
        changes(MIXED, error)
    with pytest.raises(ParameterError, match=r"unknown metric 'accuracy'\. Did you mean 'test_accuracy'"):
        changes(MIXED, MIXED, "accuracy")

"""Series: windows by brute force, cuts in time, and nothing of the future in what is learnt from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from readable import READABLE

from studylib import datasets
from studylib.datasets import _series
from studylib.datasets._rolling import RollingSeries
from studylib.datasets._series import Cuts, apart, rolled, together
from studylib.datasets.base import Split
from studylib.errors import ParameterError

VALUES = np.random.default_rng(5).normal(3, 2, (60, 3)).cumsum(axis=0)
CUTS = Cuts(4, 34, 44, 58)
BACK, AHEAD = 5, 3
ROLLING = [name for name, one in READABLE.items() if isinstance(one, RollingSeries)]


def by_hand(first: int, end: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the windows whose targets lie in steps ``first`` to ``end``, (past, coming) of all channels."""
    mean, std = VALUES[4:34].mean(axis=0), VALUES[4:34].std(axis=0)
    scaled = (VALUES - mean) / std
    return [
        (scaled[now - BACK : now], scaled[now : now + AHEAD])
        for now in range(first, end)
        if now + AHEAD <= end
    ]


PARTS = {"train": (4 + BACK, 34), "validation": (34, 44), "test": (44, 58)}


@pytest.mark.parametrize("every", [1, 2, 4])
@pytest.mark.parametrize("part", PARTS)
def test_windows_of_channels_apart_are_those_cut_by_hand(part: str, every: int) -> None:
    """A window of each channel after the other, all targets within the part, of train every so many-th."""
    examples = getattr(apart(VALUES, CUTS, BACK, AHEAD, every), part)
    expected = [(x[:, [c]], y[:, c]) for x, y in by_hand(*PARTS[part]) for c in range(3)]
    expected = expected[:: 1 if part == "test" else every]

    assert len(examples) == len(expected)
    assert examples.x == pytest.approx(np.array([x for x, _ in expected]), abs=1e-6)
    assert np.array_equal(examples.y, np.array([y for _, y in expected]))


@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("part", PARTS)
def test_windows_of_channels_together_are_those_cut_by_hand(part: str, every: int) -> None:
    """All channels are looked back on, and the first one comes."""
    examples = getattr(together(VALUES, CUTS, BACK, AHEAD, every), part)
    expected = by_hand(*PARTS[part])[:: 1 if part == "test" else every]

    assert examples.x == pytest.approx(np.array([x for x, _ in expected]), abs=1e-6)
    assert np.array_equal(examples.y, np.array([y[:, 0] for _, y in expected]))


@pytest.mark.parametrize("cut", [apart, together])
def test_windows_do_not_depend_on_how_the_values_lie_in_memory(cut: Any) -> None:
    """Column after column, as pandas gives them, or row after row."""
    rowwise, columnwise = (cut(values, CUTS, BACK, AHEAD) for values in (VALUES, np.asfortranarray(VALUES)))

    assert np.array_equal(rowwise.train.x, columnwise.train.x)
    assert np.array_equal(rowwise.test.y, columnwise.test.y)


@pytest.mark.parametrize("cut", [apart, together])
def test_no_value_after_train_decides_the_scale(cut: Any) -> None:
    """With other values in validation and test, the train windows are the same bytes."""
    changed = VALUES.copy()
    changed[34:] = 1e6
    before, after = cut(VALUES, CUTS, BACK, AHEAD).train, cut(changed, CUTS, BACK, AHEAD).train

    assert np.array_equal(before.x, after.x)
    assert np.array_equal(before.y, after.y)


def test_windows_share_their_memory_within_a_part_and_with_no_other() -> None:
    """Long horizons take no more room than the series, and what is written to one part shows in no other."""
    split = apart(VALUES, CUTS, BACK, AHEAD)
    kept = split.test.y.copy()
    split.train.x[:] = split.train.y[:] = split.validation.x[:] = split.validation.y[:] = 0

    assert split.train.y.base is not None
    assert np.array_equal(split.test.y, kept)


@pytest.mark.parametrize("seeds", [2, 4, 8, 16])
def test_rolling_cuts_spread_over_the_series(seeds: int) -> None:
    """The first is the latest there is, and of 2ᵏ seeds neighbours are equally far from each other."""
    cuts = [rolled(1000, seed, 100, 50, 50) for seed in range(seeds)]
    begins = sorted(cut.begin for cut in cuts)

    assert cuts[0].test == 1000
    assert begins[0] >= 0
    assert set(np.diff(begins)) == {800 // seeds}
    assert all(
        (c.train - c.begin, c.validation - c.train, c.test - c.validation) == (100, 50, 50) for c in cuts
    )


def targets(split: Split) -> list[np.ndarray]:
    """Return the values that are forecast in each part, each once and in order."""
    parts = (split.train, split.validation, split.test)
    return [np.append(part.y[:, 0], part.y[-1, 1:]) * split.target_scale for part in parts]


@pytest.mark.parametrize("name", ROLLING)
def test_parts_follow_each_other_in_time_without_sharing_a_target(name: str) -> None:
    """Put together, the targets of train, validation and test are one stretch of the series."""
    dataset = READABLE[name]
    assert isinstance(dataset, RollingSeries)
    for seed in range(3):
        together_again = np.concatenate(targets(dataset.split(seed)))
        values = dataset.values()
        stretches = np.lib.stride_tricks.sliding_window_view(values, len(together_again))
        off = np.abs(np.diff(stretches, axis=1) - np.diff(together_again)).max(axis=1)

        assert off.min() < 1e-8 < np.partition(off, 1)[1]
        assert len(together_again) == dataset.train - dataset.look_back + dataset.validation + dataset.test


@pytest.mark.parametrize("name", ROLLING)
def test_a_fixed_cut_is_the_latest_for_every_seed(name: str) -> None:
    """And the page says that seeds differ in weights and order alone."""
    fixed = datasets.CATALOGUE.make(name, {"cut": "fixed"})
    first, other = fixed.split(0), fixed.split(9)

    assert np.array_equal(first.test.y, other.test.y)
    assert np.array_equal(first.test.y, READABLE[name].split(0).test.y)
    assert fixed.words()["a seed decides"] == _series.DECIDES["fixed"]
    assert READABLE[name].words()["a seed decides"] == _series.DECIDES["rolling"]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        (
            "co2",
            {"train": 900, "validation": 60, "test": 60},
            r"at most the 975 steps.*900 \+ 60 \+ 60 = 1020",
        ),
        ("co2", {"train": 100}, r"train to have at least 123 steps.*look_back 78 \+ horizon 26 \(here 100\)"),
        ("sunspots", {"test": 4}, "test to have at least the horizon of 5 steps"),
        ("etth1", {"horizon": 3000}, "validation to have at least the horizon of 3000 steps"),
        ("etth1", {"every": 14}, "every to be no multiple of 7"),
    ],
)
def test_what_leaves_no_windows_is_refused_at_once(name: str, settings: dict[str, int], said: str) -> None:
    """Before any file is read, with the numbers that do not fit."""
    with pytest.raises(ParameterError, match=said):
        datasets.CATALOGUE.make(name, settings)


def test_co2_fills_missing_weeks_from_the_past_alone() -> None:
    """Each week is the last one that was measured until then, and steps are means of as many weeks."""
    from statsmodels.datasets import co2

    weeks = co2.load_pandas().data["co2"]["1964-08-15":].to_numpy()
    last, known = [], np.nan
    for week in weeks:
        known = known if np.isnan(week) else week
        last.append(known)
    single = datasets.CATALOGUE.make("co2", {"weeks": 1}).arrays()["values"]

    assert np.array_equal(single, np.array(last))
    assert READABLE["co2"].arrays()["values"] == pytest.approx((single[1::2] + single[2::2]) / 2)


@pytest.mark.skipif("etth1" not in READABLE, reason="ETTh1.csv is not in STUDYLIB_DATA")
def test_etth1_is_cut_and_counted_as_in_the_papers() -> None:
    """12, 4 and 4 months of 30 days, seven series, every window; repeating the last value scores 1.294."""
    split = READABLE["etth1"].split(0)
    windows = {"train": 8640 - 336 - 96 + 1, "validation": 2880 - 96 + 1, "test": 2880 - 96 + 1}
    naive = ((split.test.x[:, -1] - split.test.y) ** 2).mean()

    assert {part: len(getattr(split, part)) / 7 for part in windows} == windows
    assert naive == pytest.approx(1.294, abs=5e-4)  # Repeat in table 2 of Zeng et al. (2023) has 1.295

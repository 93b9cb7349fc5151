"""The stability of a selection: closed forms, chance, and what a record shows of it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from studylib import compare, figures
from studylib.compare.stability import jaccard, nogueira, stabilities
from studylib.records import Fit, Record

NAMES = ("radius", "texture", "probe of radius", "probe of texture")
KEPT = {"lasso": [[1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], "ridge": [[1, 1, 1, 1]] * 3}


def record_of(kept: dict[str, list[list[int]]]) -> Record:
    """Return a record whose arms keep these columns, a list per seed."""
    fits = tuple(
        Fit(arm, seed, "ok", metrics={"test_accuracy": 0.9}, curves={"coefficients": [0.5 * k for k in row]})
        for arm, rows in kept.items()
        for seed, row in enumerate(rows)
    )
    params = {"metric": "test_accuracy", "smallest_effect": 0.01, "arms": {arm: {} for arm in kept}}
    return Record("genomics", "smoke", params, {}, fits, {})


def test_the_same_columns_in_every_seed_are_perfectly_stable() -> None:
    """Φ is 1, without error, and two seeds share everything."""
    kept = np.tile([1, 0, 0, 1, 0], (6, 1))

    assert nogueira(kept) == pytest.approx((1.0, 0.0))
    assert jaccard(kept) == 1.0


def test_columns_drawn_by_lot_are_not_stable() -> None:
    """Φ is 0 on average, and the 95 % interval holds 0 about as often as it says."""
    generator = np.random.default_rng(0)
    draws = [
        nogueira(np.array([generator.permutation([1] * 8 + [0] * 32) for _ in range(30)])) for _ in range(300)
    ]
    held = [abs(index) <= 1.96 * error for index, error in draws]

    assert np.mean([index for index, _ in draws]) == pytest.approx(0, abs=0.005)
    assert np.mean(held) > 0.9


def test_of_equally_many_columns_it_is_the_mean_of_kuncheva() -> None:
    """With k columns of d in each seed, Φ is the mean over pairs of (r − k²/d)/(k − k²/d), r shared."""
    generator = np.random.default_rng(1)
    kept = np.array([generator.permutation([1] * 4 + [0] * 11) for _ in range(7)])
    shared = [(a * b).sum() for k, a in enumerate(kept) for b in kept[k + 1 :]]
    chance = 4**2 / 15

    assert nogueira(kept)[0] == pytest.approx(np.mean((np.array(shared) - chance) / (4 - chance)))


def test_an_arm_that_drops_nothing_has_no_stability() -> None:
    """Ridge keeps all: there is nothing to find again, though its probes are counted."""
    lasso, ridge = stabilities(record_of(KEPT), NAMES)

    assert ridge.index is None
    assert ridge.always == 4
    assert ridge.false is not None
    assert ridge.false.mean == 0.5
    assert lasso.always == 1
    assert lasso.kept.mean == pytest.approx(5 / 3)
    assert lasso.false is not None
    assert lasso.false.mean == pytest.approx((1 / 2 + 0 + 0) / 3)


def test_without_probes_none_are_counted() -> None:
    """A table of one's own has names that begin otherwise, or none."""
    assert stabilities(record_of(KEPT))[0].false is None
    assert "probes among them" not in compare.stability(record_of(KEPT), ["a", "b", "c", "d"]).columns
    assert "probes among them" in compare.stability(record_of(KEPT), NAMES).columns


def test_the_columns_kept_most_often_come_first() -> None:
    """A row per column, in falling order; an arm that chooses none is left out."""
    table = compare.most_kept(record_of(KEPT), NAMES, most=3)

    assert list(table.columns) == ["lasso"]
    assert table.loc["radius", "lasso"] == "100%"
    assert all(a >= b for a, b in pairwise(float(v.rstrip("%")) for v in table["lasso"]))


def test_the_picture_tells_what_it_shows() -> None:
    """Stability and probes of every arm are in its words and in its table, with or without probes."""
    with_probes = figures.draw_stability(record_of(KEPT), NAMES)
    without = figures.draw_stability(record_of(KEPT))

    assert "lasso keeps 1.7 of 4 columns, stability" in with_probes.alt
    assert "17% of them probes" in with_probes.alt
    assert "ridge keeps 4.0 of 4 columns: no stability." in with_probes.alt
    assert "probes" not in without.alt
    assert "No stability to show" in figures.draw_stability(record_of({"ridge": KEPT["ridge"]})).alt

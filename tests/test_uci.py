"""The regression sets whose splits are those of the papers."""

from __future__ import annotations

import random

import numpy as np
import pytest
from readable import READABLE

from studylib.datasets import CATALOGUE
from studylib.datasets._uci import SPLITS, published
from studylib.errors import ParameterError
from studylib.params import layered

ROWS = {"concrete": 1030, "energy": 768}
READ = [name for name in ROWS if name in READABLE]  # whose files are here: STUDYLIB_DATA names their folder


@pytest.mark.parametrize("rows", [*ROWS.values(), 7])
def test_the_published_splits_are_those_of_the_papers_script(rows: int) -> None:
    """Their script seeds NumPy's global generator with 1 and draws a permutation for each split in turn."""
    state = np.random.get_state()  # noqa: NPY002  # the script's own, by brute force
    np.random.seed(1)  # noqa: NPY002
    expected = []
    for _ in range(20):
        expected.append(np.random.choice(range(rows), rows, replace=False))  # noqa: NPY002, PERF401
    np.random.set_state(state)  # noqa: NPY002

    np.testing.assert_array_equal(published(rows), expected)
    assert len({tuple(order) for order in published(rows)}) == SPLITS == 20


@pytest.mark.skipif(not READ, reason="STUDYLIB_DATA names no folder that holds uci/")
@pytest.mark.parametrize("name", READ)
def test_a_seed_is_the_number_of_a_split(name: str) -> None:
    """Its rows are the published ones in their order, 72, 18 and 10 of a hundred, in the file's units."""
    dataset = CATALOGUE.example(name)
    arrays = dataset.arrays()
    rows = ROWS[name]
    learnt = round(rows * 0.9)
    fitted = int(0.8 * learnt)
    for seed in random.Random(0).sample(range(SPLITS), 4):
        order, split = published(rows)[seed], dataset.split(seed)
        table, target = arrays["table"][order], arrays["target"][order]
        mean, deviation = target[:fitted].mean(), target[:fitted].std()

        assert [len(part) for part in (split.train, split.validation, split.test)] == [
            fitted,
            learnt - fitted,
            rows - learnt,
        ]
        assert split.target_scale == pytest.approx(deviation)
        np.testing.assert_allclose(split.test.y * deviation + mean, target[learnt:])
        np.testing.assert_allclose(split.validation.y * deviation + mean, target[fitted:learnt])
        measured = split.test.x * table[:fitted].std(axis=0) + table[:fitted].mean(axis=0)
        np.testing.assert_allclose(measured, table[learnt:], atol=1e-9)
    assert table.shape == (rows, 8)


def test_there_are_no_more_seeds_than_published_splits() -> None:
    """Twenty-one are refused before anything starts, with a way out that works."""
    asked = {"dataset": {"name": "concrete"}, "seeds": 21, "metric": "test_rmse", "smallest_effect": 0.1}
    with pytest.raises(ParameterError, match=r"seeds: expected at most 20, .*set dataset\.splits to random"):
        layered("tabular", "many", [("a file", asked)])

    random_too = {**asked, "dataset": {"name": "concrete", "splits": "random"}}
    assert layered("tabular", "many", [("a file", random_too)]).seeds == 21


@pytest.mark.skipif(not READ, reason="STUDYLIB_DATA names no folder that holds uci/")
@pytest.mark.parametrize("name", READ)
def test_random_splits_have_the_published_sizes(name: str) -> None:
    """Any seed has one, and none of them is a published one."""
    dataset = CATALOGUE.make(name, {"splits": "random"})
    published_split, drawn = CATALOGUE.example(name).split(3), dataset.split(3)

    assert len(dataset.split(99).test) == len(drawn.test) == len(published_split.test)
    assert not np.array_equal(drawn.test.y, published_split.test.y)
    with pytest.raises(ParameterError, match="got 21"):
        CATALOGUE.example(name).split(20)

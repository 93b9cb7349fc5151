"""Golub's leukemia data as published, and the probes of breast_cancer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from readable import READABLE

from studylib.datasets import CATALOGUE
from studylib.downloads import fetched
from studylib.errors import ParameterError
from studylib.trainers.conversions import from_sklearn_logistic
from studylib.trainers.linear import solve

published = pytest.mark.skipif("golub" not in READABLE, reason="golub's files are not in STUDYLIB_DATA")


@published
def test_patients_and_genes_are_the_published_ones() -> None:
    """Columns are found by the patient's number, not by their place: 38 to learn from, 34 to test on."""
    golub = CATALOGUE.make("golub", {"validation": 0})
    split = golub.split(0)
    table = golub.arrays()["table"]
    peer = pd.read_csv(fetched(golub.files[0]))

    assert np.bincount(split.train.y).tolist() == [27, 11]
    assert np.bincount(split.test.y).tolist() == [20, 14]
    assert len(set(golub.columns())) == 7129
    assert np.array_equal(table[[0, 33, 27]], peer[["1", "34", "28"]].T)
    assert golub.arrays()["labels"][[33, 27]].tolist() == [1, 1]


@published
def test_validation_rows_are_held_out_of_the_published_ones() -> None:
    """Eight of the 38, classes in proportion; without any the train rows stand for them, and that is said."""
    split = CATALOGUE.make("golub", {}).split(0)
    none = CATALOGUE.make("golub", {"validation": 0})

    assert [len(part) for part in (split.train, split.validation, split.test)] == [30, 8, 34]
    assert len(none.split(0).validation) == 38
    assert "None validates" in none.words()["a seed decides"]


@published
def test_resampled_splits_hold_both_classes_in_proportion() -> None:
    """38 to learn from and 34 to test on, of all 72 patients, other ones with each seed."""
    splits = [CATALOGUE.make("golub", {"splits": "resampled", "validation": 0}).split(s) for s in (0, 1)]

    assert [np.bincount(split.train.y).tolist() for split in splits] == [[25, 13]] * 2
    assert not np.array_equal(splits[0].test.x, splits[1].test.x)


@published
@pytest.mark.parametrize(("l1_ratio", "wrong", "genes"), [(0.0, 5, 6079), (0.5, 3, 62), (1.0, 1, 11)])
def test_untuned_models_at_their_optimum(l1_ratio: float, wrong: int, genes: int) -> None:
    """At C = 1, so many of the 34 are wrong; solvers that stop early keep more genes."""
    split = CATALOGUE.make("golub", {"validation": 0}).split(0)
    l1, l2 = from_sklearn_logistic(1.0, l1_ratio, len(split.train))
    model = solve(split.train.x, split.train.y, l1=l1, l2=l2, loss="logistic")

    assert int(((model.scores(split.test.x) > 0) != split.test.y).sum()) == wrong
    assert np.count_nonzero(model.weights) == genes


def test_intensities_need_a_range() -> None:
    """Lower and upper bound are in that order."""
    with pytest.raises(ParameterError, match="low < high"):
        CATALOGUE.make("golub", {"low": 500.0, "high": 200.0})


def test_probes_know_nothing() -> None:
    """Each has the values of its column in another order, the same in every split."""
    plain, probed = (CATALOGUE.make("breast_cancer", {"probes": probes}) for probes in (0, 45))
    table, wide = plain.arrays()["table"], probed.arrays()["table"]
    labels = plain.arrays()["labels"]
    names = probed.columns()

    assert np.array_equal(wide[:, :30], table)
    assert np.array_equal(np.sort(wide[:, 30:60], axis=0), np.sort(table, axis=0))
    assert (names[30], names[60]) == ("probe of mean radius", "probe of mean radius (2)")
    assert not np.array_equal(wide[:, 30], wide[:, 60])
    assert np.abs([np.corrcoef(wide[:, k], labels)[0, 1] for k in range(30, 75)]).max() < 0.2
    assert probed.split(0).inputs == (75,)

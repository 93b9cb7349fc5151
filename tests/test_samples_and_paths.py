"""What a notebook shows beside the record: disturbed images, and coefficients over strengths."""

from __future__ import annotations

import numpy as np
import pytest

from studylib.errors import ParameterError
from studylib.params import study_params
from studylib.paths import coefficient_paths
from studylib.samples import augmented

GRID = {"strength": [0.01, 0.1, 1.0]}


def test_each_row_of_samples_is_the_first_train_images_disturbed() -> None:
    """The untouched row is the data, an arm that disturbs images differs, one that does not is left out."""
    turn = {"flip": {"axis": "horizontal", "probability": 1.0}}
    params = study_params("vision", arms={"none": {}, "turned": turn, "held": {"batch_norm": {}}})
    shown = augmented(params, images=6)

    images = params.dataset.split(0).train.x[:6, 0]
    assert list(shown) == ["none", "turned"]
    assert np.array_equal(shown["none"], images)
    assert np.array_equal(shown["turned"], images[:, :, ::-1])


def test_samples_of_a_table_are_refused() -> None:
    """Only images can be shown as images, and the error says what the dataset holds."""
    with pytest.raises(ParameterError, match="diabetes holds tables, not images"):
        augmented(study_params("tabular"))


def test_paths_have_a_coefficient_per_strength_and_column() -> None:
    """A lasso drops columns as its strength grows, ridge keeps all; arms with one strength are left out."""
    arms = {"none": {}, "ridge": {"l2": GRID}, "lasso": {"l1": GRID}, "fixed": {"l1": {"strength": 0.1}}}
    shown = coefficient_paths(study_params("tabular", arms=arms))

    assert list(shown["paths"]) == ["ridge", "lasso"]
    assert shown["paths"]["lasso"].shape == (3, len(shown["names"])) == (3, 64)
    assert np.allclose(shown["strengths"], GRID["strength"])
    kept = (shown["paths"]["lasso"] != 0).sum(axis=1)
    assert kept[0] > kept[1] > kept[2]
    assert (shown["paths"]["ridge"] != 0).all()


def test_paths_without_an_open_strength_are_refused() -> None:
    """There is no path where nothing is left open."""
    with pytest.raises(ParameterError, match="leaves its strength open"):
        coefficient_paths(study_params("tabular", arms={"none": {}}))

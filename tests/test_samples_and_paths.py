"""What a notebook shows beside the record: disturbed images, and coefficients over strengths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from studylib.figures import draw_augmented, draw_coefficient_paths
from studylib.params import study_params
from studylib.paths import coefficient_paths
from studylib.samples import augmented

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

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


def test_colours_are_shown_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A red image is red whatever it was standardised by, and flipped colours are the same ones."""
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    rng = np.random.default_rng(0)
    for name, base in (("red", (250, 5, 0)), ("sky", (90, 160, 250))):
        (tmp_path / "own" / name).mkdir(parents=True)
        for one in range(30):
            pixels = np.clip(np.array(base) + rng.integers(-5, 5, (8, 8, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"{one}.png")
    turn = {"flip": {"axis": "horizontal", "probability": 1.0}}
    own = {"name": "image_folder", "path": str(tmp_path / "own"), "size": 8}
    params = study_params("vision", dataset=own, arms={"none": {}, "turned": turn})
    shown = augmented(params, images=12)

    expected = {(250, 5, 0), (90, 160, 250)}
    colours = [tuple(round(255 * part) for part in image.mean(axis=(0, 1))) for image in shown["none"]]
    near = [min(expected, key=lambda one: np.abs(np.subtract(one, colour)).max()) for colour in colours]
    assert {*near} == expected
    assert np.abs(np.subtract(colours, near)).max() <= 4
    np.testing.assert_allclose(shown["turned"], shown["none"][:, :, ::-1], atol=1e-6)


def test_a_table_has_no_samples_to_show() -> None:
    """Only images can be shown as images; a notebook on other data goes on, and its figure says so."""
    shown = augmented(study_params("tabular"))

    assert shown == {}
    assert "No images" in draw_augmented(shown).alt


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


def test_without_an_open_strength_there_is_no_path_to_show() -> None:
    """A notebook with arms of its user's own goes on, and its figure says why it is empty."""
    shown = coefficient_paths(study_params("tabular", arms={"none": {}, "lasso": {"l1": {"strength": 0.1}}}))

    assert not shown["paths"]
    assert "No coefficient paths" in draw_coefficient_paths(**shown).alt

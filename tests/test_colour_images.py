"""Images of three channels and 32×32 pixels, through every technique that takes images."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from studylib.datasets._splits import Parts
from studylib.datasets.base import Split
from studylib.datasets.image_folder import scaled
from studylib.models import CATALOGUE as MODELS
from studylib.regularizers import EXAMPLES
from studylib.regularizers.base import Attack, Perturbation, Regularizer
from studylib.seeds import Noise
from studylib.trainers import gradient
from studylib.trainers.base import Training

OF_IMAGES = [
    one for one in EXAMPLES.values() if isinstance(one, Attack | Perturbation) and "images" in one.inputs
]


@cache
def pictures() -> Split:
    """Return 64 pictures of noise in two classes, one of them redder."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 3, 32, 32), dtype=np.uint8)
    labels = np.arange(64) % 2
    images[labels == 1, 0] |= 128
    rows = np.arange(64)
    return scaled(images, labels, Parts(rows[:32], rows[32:48], rows[48:]), ("a", "b"))


@pytest.mark.parametrize("technique", OF_IMAGES, ids=lambda one: one.name)
def test_a_small_cnn_learns_from_disturbed_colours(technique: Regularizer) -> None:
    """Two epochs end in finite losses and weights, and predict for each row a score per class."""
    training = Training(epochs=2, batch_size=16)
    trained = gradient.train(pictures(), MODELS.example("small_cnn"), [technique], training, seed=0)

    assert np.isfinite([*trained.train_loss, *trained.validation_loss]).all()
    assert trained.predict(pictures().test.x).shape == (16, 2)


@pytest.mark.parametrize(
    "technique", [one for one in OF_IMAGES if isinstance(one, Perturbation)], ids=lambda one: one.name
)
def test_what_moves_pixels_moves_their_channels_together(technique: Perturbation) -> None:
    """An image of equal channels keeps them equal, unless noise or colours are what is disturbed."""
    grey = torch.from_numpy(pictures().train.x[:, :1]).expand(-1, 3, -1, -1).clone()
    target = torch.full((len(grey), 2), 0.5)
    after, _ = technique.perturb(grey, target, Noise(0, f"noise/{technique.name}"))

    assert after.shape == grey.shape
    assert after.isfinite().all()
    if technique.name not in {"input_noise", "colour_jitter", "random_erasing", "dropout"}:
        torch.testing.assert_close(after[:, 0], after[:, 1])
        torch.testing.assert_close(after[:, 0], after[:, 2])

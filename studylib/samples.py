"""What the arms of a study do to the images that the model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.trainers.candidates import made
from studylib.trainers.tuning import first

if TYPE_CHECKING:
    import numpy as np

    from studylib.arms import Arm
    from studylib.datasets.base import Split
    from studylib.params import StudyParams


def augmented(params: StudyParams, images: int = 7, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the first train images of ``seed`` as each arm that changes images disturbs them.

    The name is the arm's; "none" is untouched. Each is of shape (images, height, width), or of colours from 0
    to 1 (images, height, width, 3). Empty where the dataset holds no images.
    """
    if params.dataset.inputs != "images":
        return {}
    split = params.dataset.split(seed)
    x = split.train.x[:images]
    shown = {"none": _visible(x, split)}
    for arm in params.arms:
        disturbed = _disturbed(arm, x, split, seed)
        if not (disturbed == x).all():
            shown[arm.name] = _visible(disturbed, split)
    return shown


def _visible(x: np.ndarray, split: Split) -> np.ndarray:
    """Return images (n, channels, height, width) as they are looked at: the one channel, or colours."""
    if x.shape[1] == 1:
        grey: np.ndarray = x[:, 0]
        return grey
    low, unit = (x.min(), x.max() - x.min()) if split.black is None else (split.black, split.unit)
    colours: np.ndarray = ((x - low) / unit).clip(0, 1)[:, :3].transpose(0, 2, 3, 1)
    return colours


def _disturbed(arm: Arm, x: np.ndarray, split: Split, seed: int) -> np.ndarray:
    import torch
    from torch.nn import functional

    from studylib.seeds import initialising
    from studylib.trainers._batches import Disturbance
    from studylib.trainers.techniques import Techniques

    techniques = Techniques(made(arm.at(first(arm.space)).regularizers, arm.name), seed, "cpu")
    with initialising(seed):  # an attack is made against the model as it is before training
        module = arm.model.build(split.inputs, split.outputs)
    disturb = Disturbance(techniques, module, split, functional.cross_entropy)
    targets = torch.full((len(x), split.outputs), 1 / split.outputs)
    images: np.ndarray = disturb(torch.from_numpy(x), targets, torch.arange(len(x)))[0].numpy()
    return images

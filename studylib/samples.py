"""What the arms of a study do to the images that the model sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.trainers.candidates import made
from studylib.trainers.tuning import first

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Split
    from studylib.params import Arm, StudyParams


def augmented(params: StudyParams, images: int = 7, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the first train images of ``seed`` as each arm that changes images disturbs them.

    The name is the arm's; "none" is untouched. Each is of shape (images, height, width), the first channel.
    Empty where the dataset holds no images.
    """
    if params.dataset.inputs != "images":
        return {}
    x = params.dataset.split(seed).train.x[:images]
    shown = {"none": x[:, 0]}
    for arm in params.arms:
        disturbed = _disturbed(arm, x, params.dataset.split(seed), seed)
        if not (disturbed == x).all():
            shown[arm.name] = disturbed[:, 0]
    return shown


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

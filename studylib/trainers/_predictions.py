"""What a trained model's outputs go through before they count as its predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from studylib.regularizers.base import Calibration, Sampling
from studylib.trainers._rewiring import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from studylib.trainers.techniques import Techniques

    Outputs = Callable[[Tensor], Tensor]


def predictor(
    techniques: Techniques, outputs: Outputs, module: nn.Module, held_x: Tensor, held_y: Tensor
) -> Outputs:
    """Return what gives predictions for rows: ``outputs``, averaged over draws, then calibrated.

    Args:
        techniques: of the arm.
        outputs: one pass of rows through ``module`` in evaluation.
        module: the network.
        held_x: validation rows, which a calibration is fitted to; ``held_y``: their classes.
    """
    for sampling in techniques.of(Sampling):
        outputs = _sampled(sampling, outputs, module, techniques)
    for calibration in techniques.of(Calibration):
        outputs = _calibrated(outputs, calibration.fitted(outputs(held_x), held_y))
    return outputs


def _sampled(sampling: Sampling, outputs: Outputs, module: nn.Module, techniques: Techniques) -> Outputs:
    def averaged(x: Tensor) -> Tensor:
        sample(module, techniques.seed, techniques.device)  # anew: who predicts twice is to get the same
        return sampling.combined(torch.stack([outputs(x) for _ in range(sampling.samples)]))

    return averaged


def _calibrated(outputs: Outputs, mapped: Outputs) -> Outputs:
    return lambda x: mapped(outputs(x))

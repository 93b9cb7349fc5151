"""What a trained model's outputs go through before they count as its predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch

from studylib.regularizers.base import Calibration, Sampling
from studylib.trainers._predictive import Predictive
from studylib.trainers._rewiring import sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from studylib.datasets.base import Split
    from studylib.trainers.techniques import Techniques

    Outputs = Callable[[Tensor], Tensor]


@final
@dataclass(frozen=True)
class Predictor:
    """Passes (samples, n, k) of rows through a network, and what is made of them: outputs (n, k)."""

    passes: Outputs
    combined: Outputs

    def __call__(self, x: Tensor) -> Tensor:
        """Return the outputs for the rows ``x``."""
        return self.combined(self.passes(x))

    def predictive(self, x: Tensor) -> Predictive:
        """Return the outputs for the rows ``x`` in float64, and the passes as they came."""
        passes = self.passes(x)
        return Predictive(self.combined(passes).double().cpu().numpy(), passes.cpu().numpy())


def predictor(
    techniques: Techniques, outputs: Outputs, module: nn.Module, split: Split, held: tuple[Tensor, Tensor]
) -> Predictor:
    """Return what gives predictions for rows: ``outputs``, of one pass or many, combined, then calibrated.

    Args:
        techniques: of the arm.
        outputs: one pass of rows through ``module`` in evaluation.
        module: the network.
        split: says whether the outputs are scores of classes, or values.
        held: validation rows and their classes, which a calibration is fitted to.
    """
    made = Predictor(lambda x: outputs(x)[None], lambda passes: passes[0])
    for sampling in techniques.of(Sampling):
        combined = sampling.combined if split.classified else sampling.averaged
        made = Predictor(_sampled(sampling, outputs, module, techniques), combined)
    for calibration in techniques.of(Calibration):
        made = _calibrated(made, calibration.fitted(made(held[0]), held[1]))
    return made


def _sampled(sampling: Sampling, outputs: Outputs, module: nn.Module, techniques: Techniques) -> Outputs:
    def passes(x: Tensor) -> Tensor:
        sample(module, techniques.seed, techniques.device)  # anew: who predicts twice is to get the same
        return torch.stack([outputs(x) for _ in range(sampling.samples)])

    return passes


def _calibrated(made: Predictor, mapped: Outputs) -> Predictor:
    return Predictor(made.passes, lambda passes: mapped(made.combined(passes)))

"""Rows as tensors, passed through a network that is not learning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Examples

# at once; on a processor their activations stay in a core's cache, which makes a convolution twice as fast
EVALUATION_ROWS = {"cpu": 256, "cuda": 2048}
# of train, in each epoch; the metrics at the end look at all
MONITORED_ROWS = 512


def tensor(array: np.ndarray, dtype: torch.dtype, device: str) -> Tensor:
    """Return an array on a device; what is no integer in ``dtype``."""
    moved = torch.from_numpy(array).to(device)
    return moved.to(dtype) if moved.is_floating_point() else moved


def rows(examples: Examples, dtype: torch.dtype, device: str) -> tuple[Tensor, Tensor]:
    """Return inputs and targets."""
    return tensor(examples.x, dtype, device), tensor(examples.y, dtype, device)


def monitored(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first rows, which the split has shuffled; of forecasts, which stand in time, some of all."""
    if y.ndim == 1:
        return x[:MONITORED_ROWS], y[:MONITORED_ROWS]
    some = torch.linspace(0, len(x) - 1, min(len(x), MONITORED_ROWS)).long()
    return x[some], y[some]


def squared_error(outputs: Tensor, target: Tensor) -> Tensor:
    """Return the mean of (output − target)²; outputs (n, 1) go with targets (n,), too."""
    return F.mse_loss(outputs.reshape(target.shape), target)


def outputs(module: nn.Module, x: Tensor) -> Tensor:
    """Return what ``module`` says of the rows ``x`` in evaluation."""
    module.eval()
    return passed(module, x)


@torch.no_grad()
def passed(module: nn.Module, x: Tensor, axis: int = 0) -> Tensor:
    """Return what ``module``, in the mode that it is in, says of the rows ``x`` along an ``axis``."""
    return torch.cat([module(some) for some in x.split(EVALUATION_ROWS[x.device.type], axis)], axis)

"""The normalisations of activations beside batch normalisation."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor, nn
from torch.nn import functional

from studylib.errors import StudyError
from studylib.regularizers._modules import RunningStatistics


@final
class GhostNormalisation(RunningStatistics):
    """Batch normalisation of each ``size`` rows by themselves; the running statistics take them in order.

    The last group is what is left; if that has no variance, it goes to the group before.
    """

    def __init__(self, width: int, size: int, momentum: float) -> None:
        super().__init__(width, momentum)
        self.size = size

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h``, (n, channels) or (n, channels, height, width), normalised.

        Raises:
            StudyError: training began with one value per channel.
        """
        if not self.training or self._alone(h):
            return self._normalised(h, learning=False)
        return torch.cat([self._normalised(ghost, learning=True) for ghost in self._ghosts(h)])

    def _normalised(self, h: Tensor, *, learning: bool) -> Tensor:
        if learning:
            self.num_batches_tracked.add_(1)
        share = self.newest if learning else self.momentum
        statistics = self.running_mean, self.running_var
        return functional.batch_norm(h, *statistics, self.weight, self.bias, learning, share)

    def _ghosts(self, h: Tensor) -> list[Tensor]:
        count, left = divmod(len(h), self.size)
        if left * h[0, 0].numel() > 1 or not count:
            return list(h.split(self.size))
        return list(h.split([self.size] * (count - 1) + [self.size + left]))

    def _alone(self, h: Tensor) -> bool:
        if h.numel() > h.shape[1]:
            return False
        if self.num_batches_tracked == 0:
            raise StudyError(
                "ghost_batch_norm: a training batch with one value per channel has no variance, and no "
                f"larger batch came before it (shape {tuple(h.shape)}). Choose a batch_size of at least 2, "
                "or leave ghost_batch_norm out."
            )
        return True


@final
class LayerNormalisation(nn.Module):
    """Normalisation of each example over all its values, with a scale and a shift for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h``, (n, channels) or (n, channels, height, width), normalised."""
        return torch.group_norm(h, 1, self.weight, self.bias)

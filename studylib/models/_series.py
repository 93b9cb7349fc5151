"""Networks that forecast a series (n, length, channels), whose first channel the target continues."""

from __future__ import annotations

from math import prod
from typing import final

from torch import Tensor, nn
from torch.nn import functional as F


def levelled(series: Tensor) -> tuple[Tensor, Tensor]:
    """Return the series less its last step, and the last value of the first channel (n, 1)."""
    last = series[:, -1:]
    return series - last, last[:, 0, :1]


@final
class NLinearNetwork(nn.Module):
    """A linear map of what is left without the last value, which is added again."""

    def __init__(self, inputs: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        self.output = nn.Linear(prod(inputs), outputs)

    def forward(self, series: Tensor) -> Tensor:
        """Return forecasts (n, outputs)."""
        steps, level = levelled(series)
        forecast: Tensor = self.output(steps.flatten(1)) + level
        return forecast


@final
class DLinearNetwork(nn.Module):
    """A linear map of the moving average, and one of what is left without it."""

    def __init__(self, inputs: tuple[int, ...], outputs: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.trend = nn.Linear(prod(inputs), outputs)
        self.remainder = nn.Linear(prod(inputs), outputs)

    def forward(self, series: Tensor) -> Tensor:
        """Return forecasts (n, outputs)."""
        average = moving_average(series, self.width)
        forecast: Tensor = self.trend(average.flatten(1)) + self.remainder((series - average).flatten(1))
        return forecast


def moving_average(series: Tensor, width: int) -> Tensor:
    """Return the mean of ``width`` (odd) steps around each, shape of ``series`` (n, length, channels)."""
    steps = series.transpose(1, 2)
    padded = F.pad(steps, (width // 2, width // 2), mode="replicate")
    return F.avg_pool1d(padded, width, stride=1).transpose(1, 2)

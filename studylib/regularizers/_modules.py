"""The torch modules that rewirings put into a model's slots; imported only when one is built."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn
from torch.nn import functional

from studylib.errors import StudyError

if TYPE_CHECKING:
    from studylib.regularizers._kinds.common import Regularizer
    from studylib.regularizers._kinds.site import Site
    from studylib.seeds import Draws


class Noisy(nn.Module):
    """A module that draws from a noise in training.

    Attributes:
        technique: what it is by; may be replaced by itself at another strength.
        noise: what it draws from; may be replaced.
        sampling: whether it goes on in evaluation, for predictions that are averaged over draws.
    """

    def __init__(self, technique: Regularizer, noise: Draws) -> None:
        super().__init__()
        self.technique = technique
        self.noise = noise
        self.sampling = False

    @property
    def drawing(self) -> bool:
        """Whether it draws now."""
        return self.training or self.sampling


@final
class Stochastic(Noisy):
    """What a technique does to activations in training, the identity in evaluation; nothing to save."""

    technique: Any  # a Dropping, whose file imports this one

    def __init__(self, technique: Regularizer, noise: Draws, site: Site) -> None:
        super().__init__(technique, noise)
        self.site = site

    def forward(self, h: Tensor) -> Tensor:
        """Return activations of the shape of ``h``."""
        dropped: Tensor = self.technique.drop(h, self.noise, self.site) if self.drawing else h
        return dropped


class Costly(nn.Module):
    """A module with a price of its own, which is added to the mean loss per example."""

    @abstractmethod
    def cost(self) -> Tensor:
        """Return the price of its parameters as they are, a scalar in the units of the loss."""


class Made(nn.Module):
    """A layer whose ``weight`` is made of other parameters."""

    @abstractmethod
    def scales(self) -> list[nn.Parameter]:
        """Return those that the size of the weight is proportional to; none if none is."""


class RunningStatistics(nn.Module):
    """A normalisation by the batch in training, and in evaluation by what it has learnt of all batches.

    Attributes:
        momentum: share of the newest batch in the running statistics, as torch counts.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, width: int, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self._evenly = False
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width))
        self.register_buffer("running_var", torch.ones(width))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def begin_anew(self) -> None:
        """Forget all batches, and count those that come evenly: for weights that were averaged."""
        self.running_mean.zero_()
        self.running_var.fill_(1)
        self.num_batches_tracked.zero_()
        self._evenly = True

    @property
    def newest(self) -> float:
        """The share of the batch at hand, which is counted already, in the running statistics."""
        return 1 / float(self.num_batches_tracked) if self._evenly else self.momentum


@final
class Normalisation(RunningStatistics):
    """Batch normalisation over every axis but the second; names and initial values are those of torch's."""

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h``, (n, channels) or (n, channels, height, width), normalised.

        Raises:
            StudyError: training began with one value per channel.
        """
        learning = self.training and self._has_variance(h)
        if learning:
            self.num_batches_tracked.add_(1)
        share = self.newest if learning else self.momentum
        statistics = self.running_mean, self.running_var
        return functional.batch_norm(h, *statistics, self.weight, self.bias, learning, share)

    def _has_variance(self, h: Tensor) -> bool:
        if h.numel() > h.shape[1]:
            return True
        if self.num_batches_tracked == 0:
            raise StudyError(
                "batch_norm: a training batch with one value per channel has no variance, and no larger "
                f"batch came before it (shape {tuple(h.shape)}). Choose a batch_size of at least 2, or leave "
                "batch_norm out."
            )
        return False

"""The optimizers of a stack, on the memory behind its weights."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, final

import torch

from studylib.trainers._joined import distance
from studylib.trainers._optimizers import optimizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from studylib.trainers._optimizers import Optimizer
    from studylib.trainers.base import Training


@final
class Rate:
    """The learning rate of a step: on a GPU at one place in memory, where a recorded step finds it.

    Attributes:
        number: it, as optimizers take it.
    """

    number: float | Tensor

    def __init__(self, device: torch.device) -> None:
        self.number = torch.zeros((), device=device) if device.type == "cuda" else 0.0

    def be(self, rate: float) -> None:
        """Be ``rate`` from the next use on."""
        if isinstance(self.number, float):
            self.number = rate
        else:
            self.number.fill_(rate)


class _Run(NamedTuple):
    """Replicas that stand side by side and have one learning rate, and what moves their ``weights``."""

    replicas: slice
    rate: float
    now: Rate
    weights: list[Tensor]
    optimizer: Optimizer


@final
class Movers:
    """One optimizer for each run of replicas of one learning rate.

    The memory behind the weights is aligned, so that the place of a number in a kernel is the same however
    many replicas there are.
    """

    def __init__(self, weights: Sequence[Tensor], trainings: Sequence[Training]) -> None:
        self._weights = list(weights)
        self._memory = [_behind(w) for w in weights]
        self._gradients = [torch.zeros_like(one) for one in self._memory]
        self._runs: list[_Run] = []
        end = 0
        for rate, some in groupby(training.learning_rate for training in trainings):
            begin, end = end, end + len(list(some))
            own = [one[begin:end] for one in self._memory]
            now = Rate(weights[0].device)
            self._runs.append(_Run(slice(begin, end), rate, now, own, optimizer(own, trainings[0])))

    def kept(self, places: Sequence[int], weights: Sequence[Tensor], trainings: Sequence[Training]) -> Movers:
        """Return what goes on with the replicas at ``places``, whose weights are others now."""
        rest = Movers(weights, trainings)
        known = [
            torch.cat(parts)[list(places)]
            for parts in zip(*(run.optimizer.memory() for run in self._runs), strict=True)
        ]
        for run in rest._runs:
            run.optimizer.follow(self._runs[0].optimizer)
            for own, old in zip(run.optimizer.memory(), known, strict=True):
                own.copy_(old[run.replicas])
        return rest

    def prepare(self, left: float) -> None:
        """Put the rates of the next step in their places; ``left`` is what is left of them, a share."""
        for run in self._runs:
            run.now.be(left * run.rate)

    def step(self, gradients: Sequence[Tensor]) -> None:
        """Move every weight."""
        flat = [_flat(g, w) for g, w in zip(gradients, self._weights, strict=True)]
        filled = [_filled(*pair) for pair in zip(self._gradients, flat, strict=True)]
        for run in self._runs:
            run.optimizer.step([one[run.replicas] for one in filled], run.now.number)

    def rates(self, left: float) -> list[float]:
        """Return the learning rate of each replica."""
        return [left * run.rate for run in self._runs for _ in range(run.replicas.start, run.replicas.stop)]

    def reach(self, w: Tensor) -> Tensor:
        """Return what a lasting gradient of ``w`` was multiplied by in the last step, in its shape."""
        place = next(place for place, one in enumerate(self._weights) if one is w)
        parts = [_spread(run.optimizer.reach(run.weights[place]), run.weights[place]) for run in self._runs]
        order = _order(w)
        shape = [w.shape[axis] for axis in order]
        whole = torch.cat(parts) if len(parts) > 1 else parts[0]
        laid = whole[:, : w[0].numel()].view(shape)
        return laid.permute([order.index(axis) for axis in range(w.ndim)])


def _spread(reach: Tensor | float, w: Tensor) -> Tensor:
    return reach.expand_as(w) if isinstance(reach, torch.Tensor) else torch.full_like(w, reach)


def _behind(w: Tensor) -> Tensor:
    """Return the memory behind a stacked weight, (replicas, distance), with what fills it up."""
    width = distance(w.stride(0))
    return w.detach().as_strided((len(w), width), (width, 1))


def _order(w: Tensor) -> list[int]:
    """Return the axes of a stacked weight as they lie in memory, the replicas' first."""
    strides = w.stride()
    return sorted(range(w.ndim), key=lambda axis: (-strides[axis], axis))


def _flat(gradient: Tensor, w: Tensor) -> Tensor:
    """Return a gradient of ``w`` as (replicas, numbers of one), in the order of the weights in memory."""
    return gradient.permute(_order(w)).flatten(1)


def _filled(whole: Tensor, flat: Tensor) -> Tensor:
    """Return a gradient (replicas, distance), with zeros where its replicas end before that."""
    if flat.shape == whole.shape:
        return flat
    whole[:, : flat.shape[1]].copy_(flat)
    return whole

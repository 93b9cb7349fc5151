"""What one fit of a stack of factorizations has of its own: its network, its interactions, its losses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar, final

import torch
from torch import Tensor
from torch.nn import functional as F

from studylib.seeds import Noise
from studylib.trainers import _ranked, _rated
from studylib.trainers._factor_batches import Interactions
from studylib.trainers._factor_network import scores
from studylib.trainers._joined import distance

if TYPE_CHECKING:
    from studylib.models._networks import FactorizationNetwork, RatingNetwork
    from studylib.models.base import Model
    from studylib.trainers._clock import History
    from studylib.trainers._factor_network import Factorization
    from studylib.trainers.stacks import Member
    from studylib.trainers.techniques import Techniques

T = TypeVar("T", bound=_ranked.Factorized | _rated.Rated)


class FactorFit(ABC, Generic[T]):
    """A fit of a stack.

    Attributes:
        network: its own, as it begins.
        seen: train interactions whose loss is looked at after an epoch.
        held: those of validation.
    """

    network: Factorization
    seen: Interactions
    held: Interactions

    @abstractmethod
    def __init__(self, member: Member, model: Model, techniques: Techniques) -> None:
        """Begin the fit of ``member``."""

    @abstractmethod
    def epoch(self) -> Interactions:
        """Return all train interactions in a new order."""

    @staticmethod
    @abstractmethod
    def losses(found: Tensor, target: Tensor) -> Tensor:
        """Return what the loss is the mean of, for scores (n, m) and the target (n, …)."""

    @staticmethod
    @abstractmethod
    def slopes(found: Tensor, target: Tensor) -> Tensor:
        """Return the gradient of each replica's loss by its scores (replicas, n, m)."""

    @abstractmethod
    def concluded(self, history: History, steps: int) -> T:
        """Return what came of it."""

    @torch.no_grad()
    def looked(self) -> tuple[float, float]:
        """Return the losses of train and validation interactions, without any noise."""
        seen, held = (
            float(self.losses(scores(self.network, some.numbers), some.target).mean())
            for some in (self.seen, self.held)
        )
        return seen, held


@final
class RankingFit(FactorFit[_ranked.Factorized]):
    """The mean of −log σ(s₀ − sⱼ) is minimised, over negatives that are drawn anew in each epoch."""

    network: FactorizationNetwork

    def __init__(self, member: Member, model: Model, techniques: Techniques) -> None:
        split, training = member.split, member.training
        seed, device = techniques.seed, techniques.device
        self.network = _ranked.begun(split, model, techniques, getattr(torch, training.precision))
        self._pairs = torch.from_numpy(split.train.x).to(device)
        self._sampler = _ranked.Negatives(self._pairs, split.inputs, training.negatives)
        self._order, self._draws = Noise(seed, "order", device), Noise(seed, "negatives", device)
        held_out = Noise(seed, "held-out negatives", device)
        self.held = self._beside(torch.from_numpy(split.validation.x).to(device), held_out)

    def _beside(self, pairs: Tensor, noise: Noise) -> Interactions:
        return Interactions(self._sampler.beside(pairs, noise), pairs.new_empty(len(pairs), 0))

    def epoch(self) -> Interactions:
        order = self._order.permutation(len(self._pairs), like=self._pairs)
        self.seen = self._beside(self._pairs[order], self._draws)
        return self.seen

    @staticmethod
    def losses(found: Tensor, target: Tensor) -> Tensor:
        del target
        return -F.logsigmoid(found[:, :1] - found[:, 1:])

    @staticmethod
    def slopes(found: Tensor, target: Tensor) -> Tensor:
        del target
        behind = found[..., 1:] - found[..., :1]
        count = behind[0].numel()
        # numbers at the end, which fill no vector register, go through a kernel that has other last bits
        filled = F.pad(behind.flatten(1), (0, distance(count) - count)).sigmoid_()
        of_others = (filled[:, :count] / count).view_as(behind)
        return torch.cat([-of_others.sum(-1, keepdim=True), of_others], dim=-1)

    def concluded(self, history: History, steps: int) -> _ranked.Factorized:
        return _ranked.Factorized(self.network, *history.losses, history.best_epoch, steps, history.seconds)


@final
class RatingFit(FactorFit[_rated.Rated]):
    """The mean of (rating − μ − b_u − b_i − p_u·q_i)² is minimised; targets are ratings less μ."""

    network: RatingNetwork

    def __init__(self, member: Member, model: Model, techniques: Techniques) -> None:
        self._split = member.split
        precision = getattr(torch, member.training.precision)
        self.network = _rated.begun(self._split, model, techniques, precision)
        self.seen, self.held = (
            Interactions(pairs, ratings - self.network.mean)
            for pairs, ratings in (
                _rated.tensors(part, self.network) for part in (self._split.train, self._split.validation)
            )
        )
        self._order = Noise(techniques.seed, "order", techniques.device)

    def epoch(self) -> Interactions:
        order = self._order.permutation(len(self.seen.numbers), like=self.seen.numbers)
        return Interactions(*(one[order] for one in self.seen))

    @staticmethod
    def losses(found: Tensor, target: Tensor) -> Tensor:
        return (found[:, 0] - target).square()

    @staticmethod
    def slopes(found: Tensor, target: Tensor) -> Tensor:
        return (found - target[..., None]) * (2 / target.shape[-1])

    def concluded(self, history: History, steps: int) -> _rated.Rated:
        return _rated.concluded(self.network, self._split, history, steps)

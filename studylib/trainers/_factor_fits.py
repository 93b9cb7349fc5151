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
    from studylib.datasets.base import Examples
    from studylib.models._networks import FactorizationNetwork, RatingNetwork
    from studylib.models.base import Model
    from studylib.trainers._clock import History
    from studylib.trainers._factor_network import Factorization
    from studylib.trainers.stacks import Member
    from studylib.trainers.techniques import Techniques

T = TypeVar("T", bound=_ranked.Factorized | _rated.Rated)


class Source(ABC):
    """Where fits of one seed get their interactions from.

    Attributes:
        seen: train interactions whose loss is looked at after an epoch.
        held: those of validation.
    """

    seen: Interactions
    held: Interactions

    @abstractmethod
    def epoch(self) -> Interactions:
        """Return all train interactions in a new order."""


@final
class _Rankings(Source):
    """Train interactions beside negatives of each epoch, and those of validation beside the same ones."""

    def __init__(self, member: Member, device: str) -> None:
        split, seed = member.split, member.seed
        self._pairs = torch.from_numpy(split.train.x).to(device)
        self._sampler = _ranked.Negatives(self._pairs, split.inputs, member.training.negatives)
        self._order, self._draws = Noise(seed, "order", device), Noise(seed, "negatives", device)
        held_out = Noise(seed, "held-out negatives", device)
        self.held = self._beside(torch.from_numpy(split.validation.x).to(device), held_out)

    def epoch(self) -> Interactions:
        order = self._order.permutation(len(self._pairs), like=self._pairs)
        self.seen = self._beside(self._pairs[order], self._draws)
        return self.seen

    def _beside(self, pairs: Tensor, noise: Noise) -> Interactions:
        drawn = self._sampler.beside(pairs, noise)
        return Interactions(
            drawn[:, 0].contiguous(), drawn[:, 1:].contiguous(), pairs.new_empty(len(pairs), 0)
        )


@final
class _Ratings(Source):
    """Ratings less μ, the mean of the train ratings."""

    def __init__(self, member: Member, network: RatingNetwork) -> None:
        split = member.split
        self.seen, self.held = (self._of(part, network) for part in (split.train, split.validation))
        self._order = Noise(member.seed, "order", str(network.mean.device))

    @staticmethod
    def _of(examples: Examples, network: RatingNetwork) -> Interactions:
        pairs, ratings = _rated.tensors(examples, network)
        return Interactions(pairs[:, 0].contiguous(), pairs[:, 1:].contiguous(), ratings - network.mean)

    def epoch(self) -> Interactions:
        order = self._order.permutation(len(self.seen.rows), like=self.seen.rows)
        return Interactions(*(one[order] for one in self.seen))


class FactorFit(ABC, Generic[T]):
    """A fit of a stack.

    Attributes:
        network: its own, as it begins.
        source: of its interactions.
    """

    network: Factorization
    source: Source

    @abstractmethod
    def __init__(
        self, member: Member, model: Model, techniques: Techniques, mate: FactorFit[T] | None
    ) -> None:
        """Begin the fit of ``member``, which has the source of a ``mate`` of one seed if there is one."""

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
            float(self.losses(scores(self.network, some), some.target).mean())
            for some in (self.source.seen, self.source.held)
        )
        return seen, held


@final
class RankingFit(FactorFit[_ranked.Factorized]):
    """The mean of −log σ(s₀ − sⱼ) is minimised."""

    network: FactorizationNetwork

    def __init__(
        self, member: Member, model: Model, techniques: Techniques, mate: FactorFit[_ranked.Factorized] | None
    ) -> None:
        precision = getattr(torch, member.training.precision)
        self.network = _ranked.begun(member.split, model, techniques, precision)
        self.source = mate.source if mate else _Rankings(member, techniques.device)

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
    """The mean of (rating − μ − b_u − b_i − p_u·q_i)² is minimised."""

    network: RatingNetwork

    def __init__(
        self, member: Member, model: Model, techniques: Techniques, mate: FactorFit[_rated.Rated] | None
    ) -> None:
        self._split = member.split
        precision = getattr(torch, member.training.precision)
        self.network = _rated.begun(self._split, model, techniques, precision)
        self.source = mate.source if mate else _Ratings(member, self.network)

    @staticmethod
    def losses(found: Tensor, target: Tensor) -> Tensor:
        return (found[:, 0] - target).square()

    @staticmethod
    def slopes(found: Tensor, target: Tensor) -> Tensor:
        return (found - target[..., None]) * (2 / target.shape[-1])

    def concluded(self, history: History, steps: int) -> _rated.Rated:
        return _rated.concluded(self.network, self._split, history, steps)

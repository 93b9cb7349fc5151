"""Stochastic training of several matrix factorizations at once: of rankings, or of ratings.

Each keeps its own interactions, first factors, order, negatives and draws, its own losses and its own end:
what comes out for one does not depend on the others, nor on how many there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, final

import torch

from studylib.errors import Divergence
from studylib.regularizers.base import Averaging
from studylib.seeds import repeatable
from studylib.trainers._clock import Average, History
from studylib.trainers._factor_batches import batches
from studylib.trainers._factor_fits import RankingFit, RatingFit
from studylib.trainers._factor_network import JoinedFactorizations
from studylib.trainers._factor_prices import StackPrices
from studylib.trainers._stack_objective import StackObjective
from studylib.trainers._stack_steps import StackUpdate
from studylib.trainers.stacks import SHRINKING
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studylib.models.base import Model
    from studylib.trainers._factor_batches import Batch
    from studylib.trainers._factor_fits import FactorFit
    from studylib.trainers._ranked import Factorized
    from studylib.trainers._rated import Rated
    from studylib.trainers.base import Training
    from studylib.trainers.stacks import Member
    from studylib.trainers.widths import Train

T = TypeVar("T", bound="Factorized | Rated")


def train_rankings(
    members: Sequence[Member], model: Model, device: str = "cpu"
) -> list[Factorized | Divergence]:
    """Return what ``factorization.train`` does of each member, or why it diverged.

    Raises:
        ParameterError: as of a single one.
    """
    return _trained(RankingFit, members, model, device)


def train_ratings(members: Sequence[Member], model: Model, device: str = "cpu") -> list[Rated | Divergence]:
    """Return what ``ratings.train`` does of each member, or why it diverged.

    Raises:
        ParameterError: as of a single one.
    """
    return _trained(RatingFit, members, model, device)


BY_TASK: Mapping[str, Train[Any]] = {"ranking": train_rankings, "rating": train_ratings}


def _trained(
    kind: type[FactorFit[T]], members: Sequence[Member], model: Model, device: str
) -> list[T | Divergence]:
    with repeatable(device):
        replicas: list[_Replica[T]] = []
        mates: dict[tuple[int, int], FactorFit[T]] = {}
        for member in members:
            same = member.seed, id(member.split)  # then they have one order, and the same negatives
            replicas.append(_Replica(kind, member, model, device, mates.get(same)))
            mates.setdefault(same, replicas[-1].fit)
        # those of one learning rate are moved by one optimizer
        stack = _Stack(sorted(replicas, key=lambda one: one.member.training.learning_rate), model)
        for epoch in range(members[0].training.epochs):
            if not stack.standing:
                break
            stack.learn(epoch)
            stack.look()
        stack.end()
    return [one.found or Divergence("it was not trained") for one in replicas]


@final
class _Replica(Generic[T]):
    """One fit of a stack, whose weights are views of the stack's, and its history."""

    def __init__(
        self,
        kind: type[FactorFit[T]],
        member: Member,
        model: Model,
        device: str,
        mate: FactorFit[T] | None,
    ) -> None:
        self.member = member
        self.techniques = Techniques(member.regularizers, member.seed, device)
        self.fit = kind(member, model, self.techniques, mate)
        self.history = History(self.techniques, self.fit.network)
        self.steps, epochs = -(-len(member.split.train) // member.training.batch_size), member.training.epochs
        self.average = Average(self.techniques, self.fit.network, self.steps, epochs)
        self.found: T | Divergence | None = None

    def look(self, share: int) -> None:
        """Write down the losses of an epoch, and end if a rule says so, or a number is none."""
        self.history.add(*self.fit.looked())
        try:
            self.history.refuse_divergence(self.member.training)
        except Divergence as error:
            self.leave()
            self.found = error
        if not self.found and self.history.stop():
            self.end(share)

    def leave(self) -> None:
        """Take the weights along: those of the stack go on to change."""
        for weight in self.fit.network.parameters():
            weight.data = weight.data.clone()

    def end(self, share: int) -> None:
        """Come to an end; ``share`` fits were trained in the time that it took."""
        self.leave()
        self.history.restore_best()
        self.average.take(lambda: None)
        self.history.seconds = [second / share for second in self.history.seconds]
        self.found = self.fit.concluded(self.history, self.steps)


@final
class _Stack(Generic[T]):
    """Replicas that learn together.

    Attributes:
        standing: those whose weights are in the joined network, in its order.
    """

    def __init__(self, replicas: Sequence[_Replica[T]], model: Model) -> None:
        self.standing = list(replicas)
        self._model, self._share = model, len(replicas)
        self._training = replicas[0].member.training
        techniques, trainings = self._join()
        self._objective = StackObjective(techniques, self._network, model)
        steps = replicas[0].steps * self._training.epochs
        self._update = StackUpdate(techniques, self._network, model, trainings, steps)

    def _join(self) -> tuple[list[Techniques], list[Training]]:
        self._network = JoinedFactorizations([one.fit.network for one in self.standing])
        techniques = [one.techniques for one in self.standing]
        self._prices = StackPrices(techniques)
        return techniques, [one.member.training for one in self.standing]

    def learn(self, epoch: int) -> None:
        """Let every replica see all of its interactions once."""
        for one in self.standing:
            one.fit.network.train()
            if not one.found:  # what a fit has come to is turned no more
                one.techniques.turn(epoch, self._training.epochs, one.history.losses, one.fit.network)
        self._objective.begin(epoch)
        self._update.begin()
        self._prices.begin()
        averaging = [one.average for one in self.standing if one.techniques.of(Averaging)]
        sources = [one.fit.source for one in self.standing]
        drawn = {source: source.epoch() for source in dict.fromkeys(sources)}
        of = [[*drawn].index(source) for source in sources]
        heights = self._network.rows.height, self._network.items.height
        for batch in batches([*drawn.values()], of, self._training.batch_size, heights):
            self._update.prepare()
            self._step(batch)
            for average in averaging:
                average.add()

    def _step(self, batch: Batch) -> None:
        weights = dict(self._network.named_parameters())
        found = self._network.gradients(batch, self.standing[0].fit.slopes)
        self._prices.add(dict(zip(weights, found, strict=True)), weights, batch)
        priced = self._objective(found[0].new_zeros(len(self.standing)), found[0])
        if priced.requires_grad:
            more = torch.autograd.grad(priced, [*weights.values()], allow_unused=True)
            for gradient, own in zip(found, more, strict=True):
                if own is not None:
                    gradient.add_(own)
        self._update.along(found)

    def look(self) -> None:
        """Write down the losses of the epoch, and let those go that are at their end."""
        for one in self.standing:
            if not one.found:
                one.look(self._share)
        learning = [place for place, one in enumerate(self.standing) if not one.found]
        if len(learning) <= SHRINKING * len(self.standing):
            self._keep(learning)

    def _keep(self, places: Sequence[int]) -> None:
        self.standing = [self.standing[place] for place in places]
        if self.standing:
            techniques, trainings = self._join()
            self._objective = self._objective.kept(places, techniques, self._network, self._model)
            self._update.keep(places, self._network, self._model, trainings)

    def end(self) -> None:
        """Let those go that no rule has stopped."""
        for one in self.standing:
            if not one.found:
                one.end(self._share)

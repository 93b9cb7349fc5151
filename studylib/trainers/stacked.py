"""Stochastic gradient training of several fits at once, as one network with a replica axis in front.

Each keeps its own rows, initial weights, batch order and draws, its own losses and its own end: what comes
out for one does not depend on the others, nor on how many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

import torch

from studylib.errors import Divergence
from studylib.regularizers.base import Averaging
from studylib.seeds import initialising, repeatable
from studylib.trainers._clock import Average, History
from studylib.trainers._evaluation import monitored, outputs, passed, rows
from studylib.trainers._joined import droppings, joined
from studylib.trainers._predictions import predictor
from studylib.trainers._recorded import Recorded
from studylib.trainers._rewiring import rewire
from studylib.trainers._stack_batches import StackBatches
from studylib.trainers._stack_objective import StackObjective, cross_entropies, squared_errors
from studylib.trainers._stack_steps import StackUpdate
from studylib.trainers.gradient import Trained
from studylib.trainers.precision import passage, refuse_unknown, stored
from studylib.trainers.stacks import SHRINKING, Member
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    Parts: TypeAlias = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]

    from studylib.models.base import Model

__all__ = ["Member", "train"]


@final
class _Replica:
    """One fit of a stack: its own network, whose weights are views of the stack's, and its own history."""

    def __init__(self, member: Member, model: Model, device: str, parts: Parts) -> None:
        """Begin a fit; ``parts`` are its train and validation rows."""
        self.member = member
        dtype = stored(member.training)
        self.techniques = Techniques(member.regularizers, member.seed, device)
        split = member.split
        with initialising(member.seed):
            self.network = model.build(split.inputs, split.outputs).to(device, dtype)
        rewire(self.network, model, self.techniques, len(split.train))
        self.train, self.held = parts
        self.seen = monitored(*self.train)
        self.history = History(self.techniques, self.network)
        steps, epochs = -(-len(split.train) // member.training.batch_size), member.training.epochs
        self.steps = steps
        self.average = Average(self.techniques, self.network, steps, epochs)
        self._known = [*self.network.buffers()]
        self.found: Trained | Divergence | None = None

    def look(self, losses: Sequence[float], sums: Sequence[float], share: int) -> None:
        """Write down the losses of an epoch, and end if a rule says so, or a loss or a sum is no number."""
        self.history.add(*losses)
        try:
            self.history.refuse(self.member.training, sums)
        except Divergence as error:
            self.leave()
            self.found = error
        if not self.found and self.history.stop():
            self.found = self.trained(share)

    def sums(self) -> list[float]:
        """Return those of what the network knows beside its weights."""
        return [float(own.sum()) for own in self._known]

    def leave(self) -> None:
        """Take the weights along: those of the stack go on to change."""
        for weight in self.network.parameters():
            weight.data = weight.data.clone()
        for part in self.network.modules():
            part._buffers = {name: own.clone() for name, own in part._buffers.items() if own is not None}  # noqa: SLF001

    def trained(self, share: int) -> Trained:
        """Return what came of it; ``share`` fits were trained in the time that it took."""
        self.leave()
        self.history.restore_best()
        self.average.take(lambda: passed(self.network, self.train[0]))
        made = predictor(
            self.techniques, lambda x: outputs(self.network, x), self.network, self.member.split, self.held
        )
        seconds = [second / share for second in self.history.seconds]
        return Trained(self.network, *self.history.losses, self.history.best_epoch, self.steps, seconds, made)


def train(members: Sequence[Member], model: Model, device: str = "cpu") -> list[Trained | Divergence]:
    """Return what ``gradient.train`` does of each member, or why it diverged.

    Raises:
        Alone: they cannot be trained together.
    """
    if len(members) == 1:
        return train([*members, *members], model, device)[:1]  # a product of one matrix has other last bits
    order = sorted(range(len(members)), key=lambda place: members[place].training.learning_rate)
    with repeatable(device):
        found = _trained([members[place] for place in order], model, device)
    return [one for _, one in sorted(zip(order, found, strict=True), key=lambda pair: pair[0])]


def _trained(members: Sequence[Member], model: Model, device: str) -> list[Trained | Divergence]:
    training = members[0].training
    refuse_unknown(training.precision, device)
    known = _parts(members, device)
    replicas = [_Replica(member, model, device, known[id(member.split)]) for member in members]
    stack = _Stack(replicas, model)
    for epoch in range(training.epochs):
        if not stack.standing:
            break
        stack.learn(epoch)
        stack.look()
    stack.end()
    return [one.found or Divergence("it was not trained") for one in replicas]


def _parts(members: Sequence[Member], device: str) -> dict[int, Parts]:
    """Return train and validation rows of each split, once for all fits that share it."""
    dtype = stored(members[0].training)
    splits = {id(member.split): member.split for member in members}
    return {
        name: (rows(split.train, dtype, device), rows(split.validation, dtype, device))
        for name, split in splits.items()
    }


@final
class _Stack:
    """Replicas that learn together.

    Attributes:
        standing: those whose weights are in the joined network, in its order.
    """

    def __init__(self, replicas: Sequence[_Replica], model: Model) -> None:
        self.standing = list(replicas)
        self._model = model
        members = [one.member for one in replicas]
        self._training, self._share = members[0].training, len(replicas)
        self._losses = cross_entropies if members[0].split.classified else squared_errors
        self._network = joined([one.network for one in replicas])
        techniques = [one.techniques for one in replicas]
        self._through = passage(self._training)
        self._batches = StackBatches([one.split for one in members], techniques, stored(self._training))
        self._objective = StackObjective(techniques, self._network, model)
        steps = replicas[0].steps * self._training.epochs
        trainings = [member.training for member in members]
        self._update = StackUpdate(techniques, self._network, model, trainings, steps)
        self._begin()

    def _begin(self) -> None:
        """Begin with the replicas that stand now."""
        self._stack_looked_at()
        drawing = [*self._batches.drawing, *self._update.drawing]
        drawing += [one.draws for one in droppings(self._network)]
        on_gpu = next(self._network.parameters()).is_cuda
        self._take = Recorded(self._step, drawing) if on_gpu else self._step

    def _stack_looked_at(self) -> None:
        seen, held = [one.seen for one in self.standing], [one.held for one in self.standing]
        self._looked_at = [[torch.stack(part) for part in zip(*pairs, strict=True)] for pairs in (seen, held)]

    def learn(self, epoch: int) -> None:
        """Let every replica see all of its rows once."""
        self._network.train()
        for one in self.standing:
            one.techniques.turn(epoch, self._training.epochs, one.history.losses, one.network)
        self._objective.begin(epoch)
        self._batches.begin()
        self._update.begin()
        for dropping in droppings(self._network):
            dropping.begin()
        averaging = [one.average for one in self.standing if one.techniques.of(Averaging)]
        for numbers in self._batches.epoch(self._training.batch_size):
            self._update.prepare()
            self._take(numbers)
            for average in averaging:
                average.add()

    def _step(self, numbers: Tensor) -> None:
        """Take one step with the rows of those numbers, (replicas, n)."""
        x, target = self._batches(numbers)
        said = self._through(self._network, x)
        self._update(self._objective(self._losses(said, target), said))

    def look(self) -> None:
        """Write down the losses of the epoch, and let those go that are at their end."""
        self._network.eval()
        with torch.no_grad():
            losses = [self._losses(passed(self._network, x, 1), y) for x, y in self._looked_at]
            sums = [w.flatten(1).sum(1) for w in self._network.parameters()]
        for one, seen, summed in zip(self.standing, _each(losses), _each(sums), strict=True):
            if not one.found:
                one.look(seen, [*summed, *one.sums()], self._share)
        learning = [place for place, one in enumerate(self.standing) if not one.found]
        if len(learning) == 1:
            return  # of two, one goes on beside it, for the same bits
        if len(learning) <= SHRINKING * len(self.standing):
            self._keep(learning)

    def _keep(self, places: Sequence[int]) -> None:
        self.standing = [self.standing[place] for place in places]
        if not self.standing:
            return
        self._network = joined([one.network for one in self.standing])
        techniques = [one.techniques for one in self.standing]
        self._batches.keep(places)
        self._objective = self._objective.kept(places, techniques, self._network, self._model)
        trainings = [one.member.training for one in self.standing]
        self._update.keep(places, self._network, self._model, trainings)
        self._begin()

    def end(self) -> None:
        """Let those go that no rule has stopped, and what was recorded."""
        for one in self.standing:
            if not one.found:
                one.found = one.trained(self._share)
        self._take = self._step


def _each(stacked: Sequence[Tensor]) -> list[list[float]]:
    """Return the numbers of each replica, of tensors (replicas,)."""
    numbers: list[list[float]] = torch.stack(list(stacked), 1).tolist()
    return numbers

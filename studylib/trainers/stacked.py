"""Stochastic gradient training of several fits at once, as one network with a replica axis in front.

Each keeps its own rows, initial weights, batch order and draws, its own losses and its own end: what comes
out for one does not depend on the others, nor on how many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from studylib.errors import Divergence
from studylib.regularizers.base import Averaging
from studylib.seeds import repeatable
from studylib.trainers._evaluation import passed
from studylib.trainers._joined import droppings, joined
from studylib.trainers._recorded import Recorded
from studylib.trainers._replica import Replica, parts_of
from studylib.trainers._stack_batches import StackBatches
from studylib.trainers._stack_objective import StackObjective, cross_entropies, squared_errors
from studylib.trainers._stack_steps import StackUpdate
from studylib.trainers.precision import passage, refuse_unknown, stored
from studylib.trainers.stacks import SHRINKING, TWINS, Member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from studylib.models.base import Model
    from studylib.trainers.gradient import Trained

__all__ = ["Member", "train"]


def train(members: Sequence[Member], model: Model, device: str = "cpu") -> list[Trained | Divergence]:
    """Return what ``gradient.train`` does of each member, or why it diverged.

    Raises:
        Alone: they cannot be trained together.
    """
    share = len(members)
    with repeatable(device):
        if share == 1:  # a product of one matrix has other last bits
            return _trained([*members, *members], model, device, share)[:1]
        order = sorted(range(share), key=lambda place: members[place].training.learning_rate)
        found = _trained([members[place] for place in order], model, device, share)
    return [one for _, one in sorted(zip(order, found, strict=True), key=lambda pair: pair[0])]


def _trained(members: Sequence[Member], model: Model, device: str, share: int) -> list[Trained | Divergence]:
    """Return what comes of each; ``share`` of them were asked for, in the time that it takes."""
    training = members[0].training
    refuse_unknown(training.precision, device)
    known = parts_of(members, device)
    replicas = [Replica(member, model, device, known[id(member.split)]) for member in members]
    stack = _Stack(replicas, model, share)
    for epoch in range(training.epochs):
        if not stack.standing:
            break
        stack.learn(epoch)
        stack.look()
    stack.end()
    return [one.found or Divergence("it was not trained") for one in replicas]


@final
class _Stack:
    """Replicas that learn together.

    Attributes:
        standing: those whose weights are in the joined network, in its order.
    """

    def __init__(self, replicas: Sequence[Replica], model: Model, share: int) -> None:
        self.standing = list(replicas)
        self._model = model
        members = [one.member for one in replicas]
        self._training, self._share = members[0].training, share
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
        learning = [one for one in self.standing if not one.found]
        for one in learning:  # what a fit has come to is turned no more
            one.techniques.turn(epoch, self._training.epochs, one.history.losses, one.network)
        self._objective.begin(epoch)
        self._batches.begin()
        self._update.begin()
        for dropping in droppings(self._network):
            dropping.begin()
        averaging = [one.average for one in learning if one.techniques.of(Averaging)]
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
            learning = self._with_another(learning[0])
        if len(learning) <= SHRINKING * len(self.standing):
            self._keep(learning)

    def _with_another(self, last: int) -> list[int]:
        """Return the place of the last that learns, and of another, beside which it has the same bits.

        The other begins anew: the weights that it has come to are no part of a stack any more.
        """
        other = 1 if last == 0 else 0
        if len(self.standing) > TWINS:
            self.standing[other] = self.standing[other].again(self._model)
        return sorted([last, other])

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

"""One fit of a stack of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, final

from studylib.errors import Divergence
from studylib.seeds import initialising
from studylib.trainers._clock import Average, History
from studylib.trainers._evaluation import monitored, outputs, passed, rows
from studylib.trainers._predictions import predictor
from studylib.trainers._rewiring import rewire
from studylib.trainers.gradient import Trained
from studylib.trainers.precision import stored
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from studylib.models.base import Model
    from studylib.trainers.stacks import Member

    Parts: TypeAlias = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]


@final
class Replica:
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

    def again(self, model: Model) -> Replica:
        """Return the same fit as it began, of which nothing is asked any more."""
        other = Replica(self.member, model, self.techniques.device, (self.train, self.held))
        other.found = self.found
        return other

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


def parts_of(members: Sequence[Member], device: str) -> dict[int, Parts]:
    """Return train and validation rows of each split, once for all fits that share it."""
    dtype = stored(members[0].training)
    splits = {id(member.split): member.split for member in members}
    return {
        name: (rows(split.train, dtype, device), rows(split.validation, dtype, device))
        for name, split in splits.items()
    }

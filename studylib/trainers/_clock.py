"""What happens from epoch to epoch: which weights are kept, which are averaged, which do not learn yet."""

from __future__ import annotations

from itertools import chain
from math import isfinite
from time import perf_counter
from typing import TYPE_CHECKING, final

import torch

from studylib.errors import Divergence
from studylib.models._slot import Slot
from studylib.regularizers._modules import RunningStatistics
from studylib.regularizers.base import Averaging, Stopping, Unfreezing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor, nn

    from studylib.models.base import Model
    from studylib.trainers.base import Training
    from studylib.trainers.techniques import Techniques


@final
class History:
    """Losses without penalty and seconds since the start, an entry per epoch; the weights of the best epoch.

    Without a rule for stopping the last epoch is the best: nobody looks at validation rows then.
    """

    def __init__(self, techniques: Techniques, module: nn.Module) -> None:
        self._stopping = techniques.of(Stopping)
        self._module = module
        self._kept: dict[str, Tensor] = {}
        self.train_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.seconds: list[float] = []
        self.best_epoch = 0
        self._start = perf_counter()

    @property
    def losses(self) -> tuple[list[float], list[float]]:
        """Of train and of validation rows."""
        return self.train_loss, self.validation_loss

    def add(self, train_loss: float, validation_loss: float) -> None:
        """Write down an epoch, and keep its weights if they are the best so far."""
        self.train_loss.append(train_loss)
        self.validation_loss.append(validation_loss)
        self.seconds.append(perf_counter() - self._start)
        last = len(self.validation_loss) - 1
        best = self._stopping[0].best(self.validation_loss) if self._stopping else last
        if best == last:
            self.best_epoch = last + 1
            if self._stopping:
                self._kept = {name: w.clone() for name, w in self._module.state_dict().items()}

    def refuse_divergence(self, training: Training) -> None:
        """Raise when a loss or a weight is no longer a finite number.

        Raises:
            Divergence: with the epoch, the loss and what to lower.
        """
        # a sum is finite only if all that it sums is, and costs less than looking at every weight
        self.refuse(training, (float(w.sum()) for w in self._module.state_dict().values()))

    def refuse(self, training: Training, sums: Iterable[float]) -> None:
        """Raise when a loss, or a sum of weights, is no longer a finite number.

        Raises:
            Divergence: with the epoch, the loss and what to lower.
        """
        losses = self.train_loss[-1], self.validation_loss[-1]
        if not all(map(isfinite, chain(losses, sums))):
            raise Divergence(
                f"the train loss was {losses[0]:g} after epoch {len(self.train_loss)}. "
                f"Lower training.learning_rate (now {training.learning_rate:g}) or the strength of a penalty."
            )

    def stop(self) -> bool:
        """Tell whether a rule ends the training now."""
        return any(rule.stop(self.validation_loss) for rule in self._stopping)

    def restore_best(self) -> None:
        """Put the weights of the best epoch back."""
        if self._kept:
            self._module.load_state_dict(self._kept)


def frozen(techniques: Techniques, module: nn.Module, model: Model, epoch: int) -> frozenset[str]:
    """Return the layers that do not learn in ``epoch``; what they know of the data's mean stays too."""
    layers = tuple(model.layers())
    still = frozenset().union(*(rule.frozen(layers, epoch) for rule in techniques.of(Unfreezing)))
    for part in module.modules() if still else ():
        if isinstance(part, Slot) and part.layer in still:
            for inner in part:
                if isinstance(inner, RunningStatistics):
                    inner.eval()
    return still


@final
class Average:
    """The weights averaged over training, as the techniques of an arm ask for it."""

    def __init__(self, techniques: Techniques, module: nn.Module, steps_per_epoch: int, epochs: int) -> None:
        self._rules = techniques.of(Averaging)
        self._module = module
        self._steps_per_epoch, self._epochs = steps_per_epoch, epochs
        self._step = 0
        self._mean: list[Tensor] = []

    def add(self) -> None:
        """Take the weights after a step into the average."""
        if self._rules:
            self._add()

    @torch.no_grad()
    def _add(self) -> None:
        self._step += 1
        for rule in self._rules:
            share = rule.share(self._step, self._steps_per_epoch, self._epochs)
            if share and not self._mean:
                self._mean = [w.clone() for w in self._module.parameters()]
            elif share:
                torch._foreach_lerp_(self._mean, list(self._module.parameters()), share)

    @torch.no_grad()
    def take(self, show: Callable[[], object]) -> None:
        """Put the average in the place of the weights, and let normalisations meet the rows anew.

        Args:
            show: passes all train rows through the module.
        """
        if not self._mean:
            return
        for w, mean in zip(self._module.parameters(), self._mean, strict=True):
            w.copy_(mean)
        self._module.eval()
        normalising = [part for part in self._module.modules() if isinstance(part, RunningStatistics)]
        for part in normalising:
            part.train()
            part.begin_anew()
        if normalising:
            show()
        self._module.eval()

"""What happens to the weights in one step of a gradient training."""

from __future__ import annotations

from itertools import chain
from math import isfinite
from typing import TYPE_CHECKING, final

import torch

from studylib.errors import Divergence
from studylib.trainers._optimizers import SGD, AdamW

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studylib.models.base import Model
    from studylib.regularizers.base import Constraint, Penalty
    from studylib.trainers.base import Training
    from studylib.trainers.techniques import Techniques


@final
class Update:
    """One step: gradient, decay, optimizer, proximal maps, projections."""

    def __init__(self, techniques: Techniques, module: nn.Module, model: Model, training: Training) -> None:
        cover = techniques.cover
        self._weights: list[Tensor] = list(module.parameters())
        self._optimizer = _optimizer(self._weights, training)
        rate = training.learning_rate
        self._decays = [(decay.factor(rate), cover(decay, module, model)) for decay in techniques.decays]
        self._proximal = [(penalty, cover(penalty, module, model)) for penalty in techniques.proximal]
        self._constraints = [(limit, cover(limit, module, model)) for limit in techniques.constraints]

    def __call__(self, loss: Tensor) -> None:
        """Move the weights one step down the gradient of ``loss``."""
        for w in self._weights:
            w.grad = None
        loss.backward()
        for factor, weights in self._decays:
            _shrink(weights, factor)
        self._optimizer.step()
        for penalty, weights in self._proximal:
            self._soften(weights, penalty)
        for constraint, weights in self._constraints:
            _project(weights, constraint)

    @torch.no_grad()
    def _soften(self, weights: list[Tensor], penalty: Penalty) -> None:
        # A prox with the bare learning rate has another fixed point than the objective's minimum
        # (Yun, Lozano and Yang 2021, https://arxiv.org/abs/2007.07484).
        for w in weights:
            w.copy_(penalty.prox(w, self._optimizer.reach(w)))


@torch.no_grad()
def _shrink(weights: list[Tensor], factor: float) -> None:
    torch._foreach_mul_(weights, factor)


@torch.no_grad()
def _project(weights: list[Tensor], constraint: Constraint) -> None:
    for w in weights:
        w.copy_(constraint.project(w))


def _optimizer(weights: list[Tensor], training: Training) -> SGD | AdamW:
    if training.optimizer == "sgd":
        return SGD(weights, training.learning_rate, training.momentum)
    return AdamW(weights, training.learning_rate)


@final
class History:
    """Losses without penalty, an entry per epoch, and the weights of the best epoch.

    Without a schedule the last epoch is the best: nobody looks at validation rows then.
    """

    def __init__(self, techniques: Techniques, module: nn.Module) -> None:
        self._schedules = techniques.schedules
        self._module = module
        self._kept: dict[str, Tensor] = {}
        self.train_loss: list[float] = []
        self.validation_loss: list[float] = []
        self.best_epoch = 0

    def add(self, train_loss: float, validation_loss: float) -> None:
        """Write down an epoch, and keep its weights if they are the best so far."""
        self.train_loss.append(train_loss)
        self.validation_loss.append(validation_loss)
        last = len(self.validation_loss) - 1
        best = self._schedules[0].best(self.validation_loss) if self._schedules else last
        if best == last:
            self.best_epoch = last + 1
            if self._schedules:
                self._kept = {name: w.clone() for name, w in self._module.state_dict().items()}

    def refuse_divergence(self, training: Training) -> None:
        """Raise when a loss or a weight is no longer a finite number.

        Raises:
            Divergence: with the epoch, the loss and what to lower.
        """
        losses = self.train_loss[-1], self.validation_loss[-1]
        # a sum is finite only if all that it sums is, and costs less than looking at every weight
        sums = (float(w.sum()) for w in self._module.state_dict().values())
        if not all(map(isfinite, chain(losses, sums))):
            raise Divergence(
                f"the train loss was {losses[0]:g} after epoch {len(self.train_loss)}. "
                f"Lower training.learning_rate (now {training.learning_rate:g}) or the strength of a penalty."
            )

    def stop(self) -> bool:
        """Tell whether a schedule ends the training now."""
        return any(schedule.stop(self.validation_loss) for schedule in self._schedules)

    def restore_best(self) -> None:
        """Put the weights of the best epoch back."""
        if self._kept:
            self._module.load_state_dict(self._kept)

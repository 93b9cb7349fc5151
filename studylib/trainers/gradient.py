"""Stochastic gradient training of any module, on batches cut from tensors in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from torch.nn import functional as F

from studylib.seeds import Noise, initialising, repeatable
from studylib.trainers._batches import Disturbance, batches, targets
from studylib.trainers._clock import Average, History, frozen
from studylib.trainers._evaluation import monitored, outputs, passed, rows, squared_error, tensor
from studylib.trainers._objective import Objective
from studylib.trainers._predictions import Predictor, predictor
from studylib.trainers._predictive import Predictive
from studylib.trainers._rewiring import rewire
from studylib.trainers._steps import Update
from studylib.trainers.precision import passage, refuse_unknown, stored
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from torch import nn

    from studylib.datasets.base import Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers.base import Training


@final
@dataclass(frozen=True)
class Trained:
    """A trained module and how it came about: losses without any penalty, one entry per epoch run.

    The validation loss is that of all validation rows, the train loss that of 512 train rows.
    ``seconds`` is the time from the first step to the end of each epoch.
    """

    module: nn.Module
    train_loss: list[float]
    validation_loss: list[float]
    best_epoch: int
    steps_per_epoch: int
    seconds: list[float]
    predictor: Predictor

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the model's outputs (n, outputs) for the rows ``x``, in float64."""
        return self.predictive(x).outputs

    def predictive(self, x: np.ndarray) -> Predictive:
        """Return those outputs, and the passes that they are made of."""
        weight = next(self.module.parameters())
        return self.predictor.predictive(tensor(x, weight.dtype, str(weight.device)))


def train(
    split: Split,
    model: Model,
    regularizers: Iterable[Regularizer],
    training: Training,
    seed: int,
    device: str = "cpu",
) -> Trained:
    """Minimise mean loss per example + Σ penalties by mini-batch steps.

    The loss is the cross-entropy where there are classes, else the squared error.
    Initial weights, batch order and noise are separate streams of ``seed``; the same arguments give the same
    numbers, bit for bit, on the same machine.

    Raises:
        Divergence: a loss or a weight stopped being finite.
    """
    with repeatable(device):
        return _trained(split, model, Techniques(regularizers, seed, device), training)


def _trained(split: Split, model: Model, techniques: Techniques, training: Training) -> Trained:
    seed, device = techniques.seed, techniques.device
    refuse_unknown(training.precision, device)
    dtype = stored(training)
    with initialising(seed):
        module = model.build(split.inputs, split.outputs).to(device, dtype)
    rewire(module, model, techniques, len(split.train))
    x, y = rows(split.train, dtype, device)
    seen_x, seen_y = monitored(x, y)
    held_x, held_y = rows(split.validation, dtype, device)
    target = targets(y, split, techniques, dtype)
    steps = -(-len(x) // training.batch_size)
    loss = F.cross_entropy if split.classified else squared_error
    disturb = Disturbance(techniques, module, split, loss)
    objective = Objective(techniques, module, model)
    update = Update(techniques, module, model, training, steps * training.epochs)
    average = Average(techniques, module, steps, training.epochs)
    history = History(techniques, module)
    through = passage(training)
    order = Noise(seed, "order", device)

    for epoch in range(training.epochs):
        module.train()
        techniques.turn(epoch, training.epochs, history.losses, module)
        update.freeze(frozen(techniques, module, model, epoch))
        objective.begin(epoch)
        for batch in batches(x, target, order.permutation(len(x), like=x), training.batch_size):
            disturbed, goal = disturb(*batch)
            said = through(module, disturbed)
            update(objective.of_outputs(loss(said, goal), said))
            average.add()
        seen, held = loss(outputs(module, seen_x), seen_y), loss(outputs(module, held_x), held_y)
        history.add(float(seen), float(held))
        history.refuse_divergence(training)
        if history.stop():
            break

    history.restore_best()
    average.take(lambda: passed(module, x))
    made = predictor(techniques, lambda some: outputs(module, some), module, split, (held_x, held_y))
    return Trained(module, *history.losses, history.best_epoch, steps, history.seconds, made)

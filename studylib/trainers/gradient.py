"""Stochastic gradient training of any module, on batches cut from tensors in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studylib.seeds import Noise, initialising, repeatable
from studylib.trainers._batches import Disturbance, batches, targets
from studylib.trainers._clock import Average, History, frozen
from studylib.trainers._objective import Objective
from studylib.trainers._predictions import Predictor, predictor
from studylib.trainers._predictive import Predictive
from studylib.trainers._rewiring import rewire
from studylib.trainers._steps import Update
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from studylib.datasets.base import Examples, Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers.base import Training

# at once; their activations stay in a core's cache, which makes a convolution twice as fast
EVALUATION_ROWS = 256
# of train, in each epoch; the metrics at the end look at all
MONITORED_ROWS = 512


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
        return self.predictor.predictive(_tensor(x, weight.dtype, str(weight.device)))


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
    dtype = getattr(torch, training.precision)
    with initialising(seed):
        module = model.build(split.inputs, split.outputs).to(device, dtype)
    rewire(module, model, techniques, len(split.train))
    x, y = _rows(split.train, dtype, device)
    seen_x, seen_y = _monitored(x, y)
    held_x, held_y = _rows(split.validation, dtype, device)
    target = targets(y, split, techniques, dtype)
    steps = -(-len(x) // training.batch_size)
    loss = F.cross_entropy if split.classified else squared_error
    disturb = Disturbance(techniques, module, split, loss)
    objective = Objective(techniques, module, model)
    update = Update(techniques, module, model, training, steps * training.epochs)
    average = Average(techniques, module, steps, training.epochs)
    history = History(techniques, module)
    order = Noise(seed, "order", device)

    for epoch in range(training.epochs):
        module.train()
        techniques.turn(epoch, training.epochs, history.losses, module)
        update.freeze(frozen(techniques, module, model, epoch))
        objective.begin(epoch)
        for rows in batches(x, target, order.permutation(len(x), like=x), training.batch_size):
            batch, goal = disturb(*rows)
            outputs = module(batch)
            update(objective.of_outputs(loss(outputs, goal), outputs))
            average.add()
        seen, held = loss(_outputs(module, seen_x), seen_y), loss(_outputs(module, held_x), held_y)
        history.add(float(seen), float(held))
        history.refuse_divergence(training)
        if history.stop():
            break

    history.restore_best()
    average.take(lambda: _passed(module, x))
    made = predictor(techniques, lambda rows: _outputs(module, rows), module, split, (held_x, held_y))
    return Trained(module, *history.losses, history.best_epoch, steps, history.seconds, made)


def _monitored(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first rows, which the split has shuffled; of forecasts, which stand in time, some of all."""
    if y.ndim == 1:
        return x[:MONITORED_ROWS], y[:MONITORED_ROWS]
    rows = torch.linspace(0, len(x) - 1, min(len(x), MONITORED_ROWS)).long()
    return x[rows], y[rows]


def squared_error(outputs: Tensor, target: Tensor) -> Tensor:
    """Return the mean of (output − target)²; outputs (n, 1) go with targets (n,), too."""
    return F.mse_loss(outputs.reshape(target.shape), target)


def _outputs(module: nn.Module, x: Tensor) -> Tensor:
    module.eval()
    return _passed(module, x)


@torch.no_grad()
def _passed(module: nn.Module, x: Tensor) -> Tensor:
    return torch.cat([module(rows) for rows in x.split(EVALUATION_ROWS)])


def _rows(examples: Examples, dtype: torch.dtype, device: str) -> tuple[Tensor, Tensor]:
    return _tensor(examples.x, dtype, device), _tensor(examples.y, dtype, device)


def _tensor(array: np.ndarray, dtype: torch.dtype, device: str) -> Tensor:
    tensor = torch.from_numpy(array).to(device)
    return tensor.to(dtype) if tensor.is_floating_point() else tensor

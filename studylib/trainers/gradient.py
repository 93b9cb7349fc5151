"""Stochastic gradient training of any module, on batches cut from tensors in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studylib.seeds import Noise, initialising
from studylib.trainers._steps import History, Update
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np

    from studylib.datasets.base import Examples, Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers.base import Training

# at once; their activations stay in a core's cache, which makes a convolution twice as fast
EVALUATION_ROWS = 256
# of train, in each epoch: the split has shuffled them, and the metrics at the end look at all
MONITORED_ROWS = 512


@final
@dataclass(frozen=True)
class Trained:
    """A trained module and how it came about: losses without any penalty, one entry per epoch run.

    The validation loss is that of all validation rows, the train loss that of the first 512 train rows.
    """

    module: nn.Module
    train_loss: list[float]
    validation_loss: list[float]
    best_epoch: int

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the module's outputs (n, outputs) for the rows ``x``, in float64."""
        weight = next(self.module.parameters())
        rows = _tensor(x, weight.dtype, str(weight.device))
        return _outputs(self.module, rows).double().cpu().numpy()


def train(
    split: Split,
    model: Model,
    regularizers: Iterable[Regularizer],
    training: Training,
    seed: int,
    device: str = "cpu",
) -> Trained:
    """Minimise mean loss per example + Σ penalties by mini-batch steps.

    The loss is the cross-entropy where there are classes (``split.outputs`` > 1), else the squared error.
    Initial weights, batch order and noise are separate streams of ``seed``; the same arguments give the same
    numbers, bit for bit, on the same machine.

    Raises:
        Divergence: a loss or a weight stopped being finite.
    """
    techniques = Techniques(regularizers)
    dtype = getattr(torch, training.precision)
    with initialising(seed):
        module = model.build(split.inputs, split.outputs).to(device, dtype)
    techniques.rewire(module, seed, device)
    x, y = _rows(split.train, dtype, device)
    seen_x, seen_y = x[:MONITORED_ROWS], y[:MONITORED_ROWS]
    held_x, held_y = _rows(split.validation, dtype, device)
    target = F.one_hot(y, split.outputs).to(dtype) if techniques.softens and split.outputs > 1 else y
    disturb = techniques.disturbance(seed, device)
    objective = techniques.objective(module, model)
    update = Update(techniques, module, model, training)
    history = History(techniques, module)
    order = Noise(seed, "order", device)

    for _ in range(training.epochs):
        module.train()
        for rows in _batches(x, target, training.batch_size, order):
            batch, goal = disturb(*rows)
            update(objective(_loss(module(batch), goal)))
        history.add(_mean_loss(module, seen_x, seen_y), _mean_loss(module, held_x, held_y))
        history.refuse_divergence(training)
        if history.stop():
            break

    history.restore_best()
    return Trained(module, history.train_loss, history.validation_loss, history.best_epoch)


def _batches(x: Tensor, target: Tensor, size: int, order: Noise) -> Iterator[tuple[Tensor, Tensor]]:
    # one gather per epoch, then views: cheaper than a gather per batch
    rows = order.permutation(len(x), like=x)
    return zip(x[rows].split(size), target[rows].split(size), strict=True)


def _loss(outputs: Tensor, target: Tensor) -> Tensor:
    if outputs.shape[1] == 1:
        return F.mse_loss(outputs[:, 0], target)
    return F.cross_entropy(outputs, target)


def _mean_loss(module: nn.Module, x: Tensor, y: Tensor) -> float:
    return float(_loss(_outputs(module, x), y))


def _outputs(module: nn.Module, x: Tensor) -> Tensor:
    module.eval()
    with torch.no_grad():
        return torch.cat([module(rows) for rows in x.split(EVALUATION_ROWS)])


def _rows(examples: Examples, dtype: torch.dtype, device: str) -> tuple[Tensor, Tensor]:
    return _tensor(examples.x, dtype, device), _tensor(examples.y, dtype, device)


def _tensor(array: np.ndarray, dtype: torch.dtype, device: str) -> Tensor:
    tensor = torch.from_numpy(array).to(device)
    return tensor.to(dtype) if tensor.is_floating_point() else tensor

"""Matrix factorization from implicit feedback, by pairwise ranking against sampled negatives.

Source: Rendle, Freudenthaler, Gantner and Schmidt-Thieme (2009), BPR, https://arxiv.org/abs/1205.2618
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor
from torch.nn import functional as F

from studylib.errors import ParameterError
from studylib.models._networks import FactorizationNetwork
from studylib.regularizers.base import Rows
from studylib.seeds import Noise, initialising, repeatable
from studylib.trainers._clock import Average, History, frozen
from studylib.trainers._objective import Objective
from studylib.trainers._rewiring import rewire
from studylib.trainers._steps import Update
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from studylib.datasets.base import Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers.base import Training


@final
@dataclass(frozen=True)
class Factorized:
    """A trained factorization: its factors, and the losses without any penalty, one entry per epoch run.

    ``seconds`` is the time from the first step to the end of each epoch.
    """

    network: FactorizationNetwork
    train_loss: list[float]
    validation_loss: list[float]
    best_epoch: int
    steps_per_epoch: int
    seconds: list[float]

    def scores(self) -> np.ndarray:
        """Return the scores of every row with every item, shape (rows, items)."""
        with torch.no_grad():
            return self.network.eval().all_scores().cpu().numpy()

    def norms(self) -> dict[str, float]:
        """Return the mean Euclidean norm of the factors of rows and of items."""
        with torch.no_grad():
            return {
                "row_norm": float(self.network.rows.weight.norm(dim=1).mean()),
                "item_norm": float(self.network.items.weight.norm(dim=1).mean()),
            }


def train(
    split: Split,
    model: Model,
    regularizers: Iterable[Regularizer],
    training: Training,
    seed: int,
    device: str = "cpu",
) -> Factorized:
    """Minimise the mean of −log σ(score(u, i) − score(u, j)) + Σ penalties.

    (u, i) are the train interactions, j are ``training.negatives`` items that u has no train interaction
    with, drawn anew in each epoch. The same arguments give the same numbers, bit for bit.

    Raises:
        Divergence: a loss or a weight stopped being finite.
        ParameterError: the model is no factorization, or a row leaves no item to draw as a negative.
    """
    with repeatable(device):
        return _trained(split, model, Techniques(regularizers, seed, device), training)


def _trained(split: Split, model: Model, techniques: Techniques, training: Training) -> Factorized:
    seed, device = techniques.seed, techniques.device
    dtype = getattr(torch, training.precision)
    with initialising(seed):
        network = model.build(split.inputs, split.outputs).to(device, dtype)
    if not isinstance(network, FactorizationNetwork):
        raise ParameterError(f"ranking is learnt by matrix_factorization, not by the model {model.name}.")
    rewire(network, model, techniques, len(split.train))
    pairs = torch.from_numpy(split.train.x).to(device)
    held = torch.from_numpy(split.validation.x).to(device)
    sampler = Negatives(pairs, split.inputs, training.negatives)
    held_out = sampler.beside(held, Noise(seed, "held-out negatives", device))
    steps = -(-len(pairs) // training.batch_size)
    objective = Objective(techniques, network, model)
    update = Update(techniques, network, model, training, steps * training.epochs)
    average = Average(techniques, network, steps, training.epochs)
    history = History(techniques, network)
    order, draws = Noise(seed, "order", device), Noise(seed, "negatives", device)

    for epoch in range(training.epochs):
        network.train()
        techniques.turn(epoch, training.epochs, history.losses, network)
        update.freeze(frozen(techniques, network, model, epoch))
        objective.begin(epoch)
        shuffled = sampler.beside(pairs[order.permutation(len(pairs), like=pairs)], draws)
        for batch in shuffled.split(training.batch_size):
            p, q = network.rows(batch[:, 0]), network.items(batch[:, 1:])
            loss = _ranking_loss(network.scores(p, q, batch[:, 1:]))
            tables = network.rows.weight, network.items.weight
            used = Rows(batch[:, :1], p[:, None]), Rows(batch[:, 1:], q)
            update(objective.of_interactions(loss, tables, used))
            average.add()
        history.add(_mean_loss(network, shuffled), _mean_loss(network, held_out))
        history.refuse_divergence(training)
        if history.stop():
            break

    history.restore_best()
    average.take(lambda: None)
    return Factorized(network, *history.losses, history.best_epoch, steps, history.seconds)


@final
class Negatives:
    """Draws, for each interaction, items that its row has no train interaction with."""

    def __init__(self, pairs: Tensor, shape: tuple[int, ...], count: int) -> None:
        self._seen = torch.zeros(shape, dtype=torch.bool, device=pairs.device)
        self._seen[pairs[:, 0], pairs[:, 1]] = True
        self._count = count
        full = int(self._seen.all(1).sum())
        if full:
            raise ParameterError(
                f"{full} of {shape[0]} rows have a train interaction with every one of the {shape[1]} items, "
                "so no negative can be drawn for them. Leave these rows out of the dataset."
            )

    def beside(self, pairs: Tensor, noise: Noise) -> Tensor:
        """Return (n, 2 + count) of row, item and negative items, for ``pairs`` (n, 2)."""
        items = self._seen.shape[1]
        rows = pairs[:, :1].expand(-1, self._count)
        drawn = noise.integers(0, items, *rows.shape, like=pairs)
        while (clash := self._seen[rows, drawn]).any():
            drawn = torch.where(clash, noise.integers(0, items, *rows.shape, like=pairs), drawn)
        return torch.cat([pairs, drawn], dim=1)


def _ranking_loss(scores: Tensor) -> Tensor:
    return -F.logsigmoid(scores[:, :1] - scores[:, 1:]).mean()


def _mean_loss(network: FactorizationNetwork, batch: Tensor) -> float:
    network.eval()
    with torch.no_grad():
        return float(_ranking_loss(network(batch[:, 0], batch[:, 1:])))

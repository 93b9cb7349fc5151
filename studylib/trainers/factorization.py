"""Matrix factorization from implicit feedback, by pairwise ranking against sampled negatives.

Source: Rendle, Freudenthaler, Gantner and Schmidt-Thieme (2009), BPR, https://arxiv.org/abs/1205.2618
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from studylib.regularizers.base import Rows
from studylib.seeds import Noise, repeatable
from studylib.trainers._clock import Average, History, frozen
from studylib.trainers._objective import Objective
from studylib.trainers._ranked import Factorized, Negatives, begun, mean_loss, ranking_loss
from studylib.trainers._steps import Update
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studylib.datasets.base import Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers.base import Training


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
    network = begun(split, model, techniques, getattr(torch, training.precision))
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
            loss = ranking_loss(network.scores(p, q, batch[:, 1:]))
            tables = network.rows.weight, network.items.weight
            used = Rows(batch[:, :1], p[:, None]), Rows(batch[:, 1:], q)
            update(objective.of_interactions(loss, tables, used))
            average.add()
        history.add(mean_loss(network, shuffled), mean_loss(network, held_out))
        history.refuse_divergence(training)
        if history.stop():
            break

    history.restore_best()
    average.take(lambda: None)
    return Factorized(network, *history.losses, history.best_epoch, steps, history.seconds)

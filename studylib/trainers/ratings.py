"""Matrix factorization from ratings, by mini-batches of squared errors.

Source: Koren, Bell and Volinsky (2009), https://doi.org/10.1109/MC.2009.263
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from studylib.regularizers.base import Rows
from studylib.seeds import Noise, repeatable
from studylib.trainers._clock import Average, History, frozen
from studylib.trainers._objective import Objective
from studylib.trainers._rated import Rated, begun, concluded, squared_error, tensors
from studylib.trainers._steps import Update
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from studylib.datasets.base import Split
    from studylib.models._networks import RatingNetwork
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
) -> Rated:
    """Minimise the mean of (rating − μ − b_u − b_i − p_u·q_i)² + Σ penalties.

    The same arguments give the same numbers, bit for bit.

    Raises:
        Divergence: a loss or a weight stopped being finite.
        ParameterError: the model is no factorization.
    """
    with repeatable(device):
        return _trained(split, model, Techniques(regularizers, seed, device), training)


def _trained(split: Split, model: Model, techniques: Techniques, training: Training) -> Rated:
    network = begun(split, model, techniques, getattr(torch, training.precision))
    pairs, ratings = known = tensors(split.train, network)
    held_out = tensors(split.validation, network)
    steps = -(-len(pairs) // training.batch_size)
    objective = Objective(techniques, network, model)
    update = Update(techniques, network, model, training, steps * training.epochs)
    average = Average(techniques, network, steps, training.epochs)
    history = History(techniques, network)
    order = Noise(techniques.seed, "order", techniques.device)

    for epoch in range(training.epochs):
        network.train()
        techniques.turn(epoch, training.epochs, history.losses, network)
        update.freeze(frozen(techniques, network, model, epoch))
        objective.begin(epoch)
        shuffled = order.permutation(len(pairs), like=pairs)
        for rows in shuffled.split(training.batch_size):
            update(_priced(objective, network, pairs[rows], ratings[rows]))
            average.add()
        history.add(squared_error(network, known), squared_error(network, held_out))
        history.refuse_divergence(training)
        if history.stop():
            break

    history.restore_best()
    average.take(lambda: None)
    return concluded(network, split, history, steps)


def _priced(objective: Objective, network: RatingNetwork, pairs: Tensor, ratings: Tensor) -> Tensor:
    """Return the mean squared error of a batch, with all prices."""
    sides = pairs[:, :1], pairs[:, 1:]
    factors = network.rows.weight, network.items.weight
    biases = network.row_bias, network.item_bias
    vectors = [table(side) for table, side in zip((network.rows, network.items), sides, strict=True)]
    own = [bias[side] for bias, side in zip(biases, sides, strict=True)]
    errors = network.ratings(*(each[:, 0] for each in (*vectors, *own))) - ratings
    loss = objective.of_biases(errors.square().mean(), biases, [*map(Rows, sides, own)])
    return objective.of_interactions(loss, factors, [*map(Rows, sides, vectors)])

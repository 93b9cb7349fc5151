"""Matrix factorization from implicit feedback, by weighted alternating least squares.

Source: Hu, Koren and Volinsky (2008), https://doi.org/10.1109/ICDM.2008.22
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from studylib.seeds import Noise, repeatable
from studylib.trainers._clock import History
from studylib.trainers._ranked import Factorized, Negatives, begun, mean_loss
from studylib.trainers._ridge import Side, prices_of, weighted_ridge
from studylib.trainers.techniques import Techniques

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from studylib.datasets.base import Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers.base import Training


def train(
    split: Split, model: Model, regularizers: Iterable[Regularizer], training: Training, seed: int
) -> Factorized:
    """Minimise Σ c·(t − p_u·q_i)² over all rows u and items i, over N, + Σ penalties, a side at a time.

    t is 1 for the N train interactions, which count c = ``training.confidence`` times, and 0 for all other
    pairs, which count once. An epoch solves the factors of all rows, and then those of all items; none of the
    steps raises the objective. Items have no bias here. The losses are those of the pairwise trainer, so that
    both can be compared; what is minimised is another. In float64, on the processor.

    Raises:
        ParameterError: the model is no factorization, or a row leaves no item to draw as a negative.
    """
    with repeatable("cpu"):
        return _trained(split, model, Techniques(regularizers, seed, "cpu"), training)


def _trained(split: Split, model: Model, techniques: Techniques, training: Training) -> Factorized:
    network = begun(split, model, techniques, torch.float64)
    pairs, held = torch.from_numpy(split.train.x), torch.from_numpy(split.validation.x)
    sampler = Negatives(pairs, split.inputs, training.negatives)
    seen, held_out = (
        sampler.beside(some, Noise(techniques.seed, purpose))
        for some, purpose in ((pairs, "negatives"), (held, "held-out negatives"))
    )
    ones = torch.ones(len(pairs), dtype=torch.float64)
    sides = [Side(pairs[:, own], pairs[:, 1 - own], ones, split.inputs[own]) for own in (0, 1)]
    prices = [
        prices_of(techniques, layer, side.counts)[:, 1]
        for layer, side in zip(model.layers(), sides, strict=True)
    ]
    rows, items = network.rows.weight.detach(), network.items.weight.detach()
    history = History(techniques, network)

    for _ in range(training.epochs):
        _renew(rows, items, sides[0], prices[0], training.confidence)
        _renew(items, rows, sides[1], prices[1], training.confidence)
        history.add(mean_loss(network, seen), mean_loss(network, held_out))
        history.refuse_divergence(training)
        if history.stop():
            break

    history.restore_best()
    return Factorized(network, *history.losses, history.best_epoch, 1, history.seconds)


def _renew(own: Tensor, other: Tensor, side: Side, prices: Tensor, confidence: float) -> None:
    """Solve the factors of all rows of ``own`` for those of ``other`` as they are."""
    every = other.T @ other
    padded = torch.cat([other, other.new_zeros((1, other.shape[1]))])
    own.zero_()  # a row without interactions is met best by zeros
    for rows, others, _ in side.batches(other.shape[1]):
        own[rows] = weighted_ridge(padded[others], every, prices[rows], confidence)

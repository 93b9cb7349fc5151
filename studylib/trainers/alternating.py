"""Matrix factorization from ratings, by alternating least squares.

Sources: Zhou, Wilkinson, Schreiber and Pan (2008), https://doi.org/10.1007/978-3-540-68880-8_32; with biases,
Koren, Bell and Volinsky (2009), https://doi.org/10.1109/MC.2009.263
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

import torch

from studylib.seeds import repeatable
from studylib.trainers._clock import History
from studylib.trainers._rated import Rated, begun, concluded, squared_error, tensors
from studylib.trainers._ridge import Side, prices_of, ridge
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
    split: Split, model: Model, regularizers: Iterable[Regularizer], training: Training, seed: int
) -> Rated:
    """Minimise the mean of (rating − μ − b_u − b_i − p_u·q_i)² + Σ penalties, a side at a time.

    An epoch solves (b_u, p_u) of all rows u at once, as they do not meet, and then (b_i, q_i) of all items:
    each is a ridge regression, and none of the steps raises the objective. It is that of
    ``studylib.trainers.ratings``, in float64, on the processor; with biases alone it is convex.

    Raises:
        ParameterError: the model is no factorization.
    """
    with repeatable("cpu"):
        return _trained(split, model, Techniques(regularizers, seed, "cpu"), training)


def _trained(split: Split, model: Model, techniques: Techniques, training: Training) -> Rated:
    network = begun(split, model, techniques, torch.float64)
    known, held_out = tensors(split.train, network), tensors(split.validation, network)
    pairs, ratings = known
    centred = ratings - network.mean
    sides = [Side(pairs[:, own], pairs[:, 1 - own], centred, split.inputs[own]) for own in (0, 1)]
    prices = [
        prices_of(techniques, layer, side.counts) for layer, side in zip(model.layers(), sides, strict=True)
    ]
    history = History(techniques, network)

    for _ in range(training.epochs):
        rows, items = _tables(network)
        _renew(rows, items, sides[0], prices[0])
        _renew(items, rows, sides[1], prices[1])
        history.add(squared_error(network, known), squared_error(network, held_out))
        history.refuse_divergence(training)
        if history.stop():
            break

    history.restore_best()
    return concluded(network, split, history, steps=1)


@final
class _Table(NamedTuple):
    """The factors (n, d) and biases (n, 1) of one side."""

    factors: Tensor
    bias: Tensor


def _tables(network: RatingNetwork) -> tuple[_Table, _Table]:
    rows = _Table(network.rows.weight.detach(), network.row_bias.detach())
    items = _Table(network.items.weight.detach(), network.item_bias.detach())
    return rows, items


def _renew(own: _Table, other: _Table, side: Side, prices: Tensor) -> None:
    """Solve bias and factors of all rows of ``own`` for those of ``other`` as they are."""
    width = own.factors.shape[1]
    nobody = other.bias.new_zeros((1, 1 + width))
    seen = torch.cat([torch.cat([torch.ones_like(other.bias), other.factors], dim=1), nobody])
    biases = torch.cat([other.bias[:, 0], nobody[0, :1]])
    for rows, others, ratings in side.batches(1 + width):
        targets = ratings - biases[others]
        each = torch.cat([prices[rows, :1], prices[rows, 1:].expand(-1, width)], dim=1)
        solved = ridge(seen[others], targets, each)
        own.bias[rows], own.factors[rows] = solved[:, :1], solved[:, 1:]

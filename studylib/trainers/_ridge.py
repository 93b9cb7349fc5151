"""Ridge regressions by the thousand, those of about as many cases in one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from studylib.regularizers.base import InteractionPenalty
from studylib.regularizers.l2 import L2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from studylib.trainers.techniques import Techniques

BLOCK = 2**21  # numbers of cases that are gathered at once
# of a price: without any, a row with fewer ratings than factors has many solutions; this takes the shortest
LEAST = 1e-6


@final
class Side:
    """What each row of a table of factors meets on the other side.

    Attributes:
        counts: how many partners each row has, (rows,), in float64.
    """

    def __init__(self, own: Tensor, other: Tensor, values: Tensor, size: int) -> None:
        """Group interactions by about how many their row has.

        Args:
            own: the row of each interaction, (n,).
            other: its partner, (n,).
            values: what is to be met, (n,).
            size: number of rows, of which some may have no interaction.
        """
        counts = own.bincount(minlength=size)
        self.counts = counts.double()
        # one more interaction stands for none: with the last partner, which is nobody, and the value 0
        others = torch.cat([other[order := own.argsort(stable=True)], other.new_tensor([-1])])
        targets = torch.cat([values[order], values.new_zeros(1)])
        starts = counts.cumsum(0) - counts
        rounded = _rounded(counts)
        rows = rounded.argsort(stable=True)
        sizes, members = rounded[rows].unique_consecutive(return_counts=True)
        self._groups: list[tuple[Tensor, Tensor, Tensor]] = []
        for count, group in zip(sizes.tolist(), rows.split(members.tolist()), strict=True):
            turn = torch.arange(count)
            places = torch.where(turn < counts[group, None], starts[group, None] + turn, len(own))
            if count:
                self._groups.append((group, others[places], targets[places]))

    def batches(self, width: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Give rows (m,), their partners (m, c) and values (m, c), so that m·c·width is no large number.

        Where a row has fewer than c interactions, the partner is −1 and the value 0: with zeros for the last
        partner's factors they change no solution.
        """
        for rows, others, values in self._groups:
            most = max(1, BLOCK // (max(others.shape[1], width) * width))
            yield from zip(rows.split(most), others.split(most), values.split(most), strict=True)


def _rounded(counts: Tensor) -> Tensor:
    """Return the next larger of few sizes: of a dozen or more, an eighth apart at most."""
    step = 2 ** (counts.clamp(min=1).log2().floor() - 3).clamp(min=0).long()
    return (counts + step - 1) // step * step


def ridge(x: Tensor, y: Tensor, prices: Tensor) -> Tensor:
    """Return w (m, d) with the least Σ (y − x·w)² + Σ price·w², for each of m regressions.

    By the normal equations, in the d weights or in the c cases, whichever are fewer.

    Args:
        x: cases, (m, c, d).
        y: targets, (m, c).
        prices: of the squares of the weights, (m, d); none is taken to be less than a millionth.
    """
    prices = prices.clamp(min=LEAST)
    cases, width = x.shape[1:]
    target = y.unsqueeze(2)
    if cases < width:
        cheap = x / prices.unsqueeze(1)
        gram = cheap @ x.mT + torch.eye(cases, dtype=x.dtype)
        return (cheap.mT @ _solved(gram, target)).squeeze(2)
    return _solved(x.mT @ x + torch.diag_embed(prices), x.mT @ target).squeeze(2)


def weighted_ridge(x: Tensor, every: Tensor, prices: Tensor, confidence: float) -> Tensor:
    """Return w (m, d) with the least Σ c·(1 − x·w)² + Σ (z·w)² + price·Σ w², for each of m regressions.

    Args:
        x: cases to be met, (m, c, d), which count ``confidence`` times.
        every: ZᵀZ (d, d) over all cases z, those of ``x`` among them; the others are to be 0 and count once.
        prices: of the squares of the weights, (m,); none is taken to be less than a millionth.
    """
    each = torch.diag_embed(prices.clamp(min=LEAST)[:, None].expand(-1, len(every)))
    target = confidence * x.sum(1).unsqueeze(2)
    return _solved(every + (confidence - 1) * (x.mT @ x) + each, target).squeeze(2)


def prices_of(techniques: Techniques, layer: str, counts: Tensor) -> Tensor:
    """Return what the squares of each row's bias and of its factors cost in the sum of all errors: (n, 2).

    Args:
        techniques: of the arm; ``embedding_l2`` and ``l2`` have such a price.
        layer: of the factors.
        counts: how many interactions each row has.
    """
    total = counts.new_zeros((len(counts), 2))
    for penalty in techniques.of(InteractionPenalty):
        of_vectors, of_biases = penalty.prices(counts, float(counts.sum()))
        total += torch.stack([of_biases, of_vectors], dim=1)
    for l2 in techniques.of(L2):
        total[:, 1] += l2.strength * counts.sum() if l2.covers(layer) else 0.0
    return total


def _solved(gram: Tensor, target: Tensor) -> Tensor:
    return torch.cholesky_solve(target, torch.linalg.cholesky(gram))

"""Factorizations joined into one, with the replicas along a first axis, and their gradients by hand.

With scores s = p·q + Σ biases and c = ∂loss/∂s, ∂loss/∂p is Σ c·q over the entries of a row, and ∂loss/∂q is
Σ c·p over those of an item. Neither the vectors of a batch nor their products are ever put into memory, which
is most of what a step costs otherwise; but for those that a technique disturbs, which autograd follows.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor, nn

from studylib.models._networks import RatingNetwork
from studylib.trainers._joined import ALIGNED, shared

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from studylib.models._networks import FactorizationNetwork
    from studylib.trainers._factor_batches import Batch, Interactions

    Factorization = FactorizationNetwork | RatingNetwork
    Slopes = Callable[[Tensor, Tensor], Tensor]
    Sides = tuple[Tensor, Tensor]

SIDES = {"row_bias": 0, "item_bias": 1, "bias": 1}  # which axis of the pairs a bias is of


def products(left: Tensor, right: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """Return left[i]·right[j], (n,), for tables (…, d) and places (n,)."""
    # what a weighted sum of vectors has for the gradient of its weights, called by its name
    slopes = torch.ops.aten._embedding_bag_per_sample_weights_backward  # noqa: SLF001  # torch offers no other way
    i, j = i.contiguous(), j.contiguous()
    found: Tensor = slopes(left, right, j, j[:0], i, 0, -1)
    return found


@torch.no_grad()
def scores(network: Factorization, some: Interactions) -> Tensor:
    """Return p·q + Σ biases of rows with m items each, (n, m)."""
    sides = some.rows[:, None].expand_as(some.items).flatten(), some.items.flatten()
    found = products(network.rows.weight, network.items.weight, *sides)
    for name, bias in network.named_parameters(recurse=False):
        found += bias.flatten().index_select(0, sides[SIDES[name]])
    return found.view_as(some.items)


@final
class Tables(nn.Module):
    """A table of vectors for each replica.

    Attributes:
        weight: (replicas, rows, d).
        height: how many rows lie between the beginnings of two replicas.
        flat: all that lies there as one table, (replicas·height, d), of one column where d is 0.
    """

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        tables: list[Tensor] = [part.get_parameter("weight").data for part in parts]
        rows, width = tables[0].shape
        step = ALIGNED // gcd(ALIGNED, max(1, width))
        self.height = -(-rows // step) * step
        memory = tables[0].new_zeros(len(parts), self.height, max(1, width))
        for own, part, table in zip(memory[:, :rows, :width], parts, tables, strict=True):
            part.get_parameter("weight").data = own.copy_(table)
        self.weight = nn.Parameter(memory[:, :rows, :width])
        self.flat = memory.flatten(0, 1)

    def places(self, numbers: Tensor) -> Tensor:
        """Return where in ``flat`` the rows of those numbers, (replicas, n), stand, (replicas·n,)."""
        firsts = torch.arange(0, len(self.flat), self.height, device=numbers.device)
        return (numbers + firsts[:, None]).flatten()

    def shaped(self, flat: Tensor) -> Tensor:
        """Return what is of the shape of ``flat`` in the shape of the weight."""
        _, rows, width = self.weight.shape
        return flat.view(len(self.weight), self.height, -1)[:, :rows, :width]


@final
class JoinedFactorizations(nn.Module):
    """Several factorizations as one; their tables and biases are views of its own."""

    def __init__(self, networks: Sequence[Factorization]) -> None:
        super().__init__()
        self.rows = Tables([one.rows for one in networks])
        self.items = Tables([one.items for one in networks])
        self.biases = [name for name, _ in networks[0].named_parameters(recurse=False)]
        for name in self.biases:
            self.register_parameter(name, shared(networks, name))
        self._slots = tuple((one.rows_slot, one.items_slot) for one in networks)  # they are no parts of this

    @torch.no_grad()
    def gradients(self, batch: Batch, slopes: Slopes) -> list[Tensor]:
        """Return the gradient of the sum of all losses, in the order of the parameters.

        Args:
            batch: of all replicas.
            slopes: returns that of the scores, for scores (replicas, n, m) and the target.
        """
        sides = batch.rows, batch.items.flatten(1)
        biased = self.rows.flat.new_zeros(batch.items.shape)
        for name in self.biases:
            biased += self.get_parameter(name).flatten(1).gather(1, sides[SIDES[name]]).view_as(biased)
        by_hand = self._through_slots if any(map(len, self._slots[0])) else self._plainly
        shares, *found = by_hand(batch, sides, biased, slopes)
        of_biases = [self._of_bias(name, sides, shares.flatten(1)) for name in self.biases]
        return [*of_biases, *map(Tables.shaped, (self.rows, self.items), found)]

    def _of_bias(self, name: str, sides: Sides, shares: Tensor) -> Tensor:
        bias = self.get_parameter(name)
        total = bias.new_zeros(len(bias), bias[0].numel())
        return total.scatter_add_(1, sides[SIDES[name]], shares).view_as(bias)

    def _plainly(self, batch: Batch, sides: Sides, biased: Tensor, slopes: Slopes) -> Sequence[Tensor]:
        p, q, i, j = self.rows.flat, self.items.flat, self.rows.places(sides[0]), self.items.places(sides[1])
        shares = slopes(products(p, q, i, j).view_as(biased) + biased, batch.target)
        flat = shares.flatten()
        return shares, batch.by_row.weighted(q, flat), batch.by_item.weighted(p, flat)

    def _through_slots(self, batch: Batch, sides: Sides, biased: Tensor, slopes: Slopes) -> Sequence[Tensor]:
        """Do it one replica after the other: what its slots do to a batch stays in a core's cache."""
        found, shape = [], batch.items.shape[1:]
        rows = batch.rows.view_as(batch.items)[..., 0]
        for place, (row_slot, item_slot) in enumerate(self._slots):
            p = self.rows.weight[place].index_select(0, rows[place]).requires_grad_()
            q = self.items.weight[place].index_select(0, sides[1][place]).requires_grad_()
            with torch.enable_grad():
                each = row_slot(p).unsqueeze(1).expand(*shape, -1)
                said = (each * item_slot(q.view(*shape, -1))).sum(-1)
            shares = slopes((said.detach() + biased[place])[None], batch.target[place : place + 1])
            found.append((shares, *torch.autograd.grad(said, (p, q), shares[0])))
        shares, of_p, of_q = (torch.cat(parts) for parts in zip(*found, strict=True))
        return shares, batch.by_row.sums(of_p, shape[1]), batch.by_item.sums(of_q)

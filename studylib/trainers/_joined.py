"""Networks of one structure joined into one, with the replicas along a first axis.

The weights of the joined network are new tensors, and those of each single network become views of them, so
that what looks at one network, or changes its weights, goes on to work. Batched matrix products give each
replica what it has alone, bit for bit on a CPU, however many there are.
"""

from __future__ import annotations

from collections import OrderedDict
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor, nn

from studylib.models._networks import WordVectors, sums_of_rows
from studylib.models._slot import Slot
from studylib.regularizers._modules import Normalisation, Stochastic
from studylib.regularizers._normalisations import GhostNormalisation, LayerNormalisation
from studylib.trainers._joined_maps import ORDER, Convolutions, ImageNetworks, MaxPoolings, plain
from studylib.trainers._together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# of the weights of a replica: so that each begins where a vector register does, and a kernel that takes some
# numbers at once, and the last ones one by one, does so at the same places in every replica
ALIGNED = 32
# of the rows of a table, which are as many as there are words: so that tables of nearly one size are joined
ROWS = 512


class Alone(Exception):  # noqa: N818  # it names what has to be done
    """Networks that cannot be joined, and why."""


def joined(networks: Sequence[nn.Module]) -> nn.Module:
    """Return one network for all of ``networks``, whose weights become views of its own.

    Raises:
        Alone: a part has no counterpart for several replicas.
    """
    kind = type(networks[0])
    if kind in JOINERS:
        return JOINERS[kind](networks)
    if isinstance(networks[0], nn.ReLU):
        return nn.ReLU(inplace=True)  # nobody asks for what a layer gave before it
    if kind in {nn.Sequential, Slot} or getattr(kind, "joins", False):
        whole = _container(networks)
        of_images = any(isinstance(part, Convolutions) for part in whole.children())
        return ImageNetworks(OrderedDict(whole.named_children())) if of_images else whole
    raise Alone(f"a {kind.__name__} treats one network at a time")


def _container(networks: Sequence[nn.Module]) -> nn.Module:
    """Return the first of ``networks`` with its parts joined; its ``forward`` counts axes from the last."""
    whole = copy(networks[0])
    parts = [name for name, _ in networks[0].named_children()]
    own = [name for name, _ in networks[0].named_parameters(recurse=False)]
    # a copy would share the parts of the first
    whole._modules = {name: joined([one.get_submodule(name) for one in networks]) for name in parts}  # noqa: SLF001
    whole._parameters = {name: shared(networks, name) for name in own}  # noqa: SLF001
    return whole


def shared(parts: Sequence[nn.Module], name: str, order: Sequence[int] = ()) -> nn.Parameter:
    """Return the parameter ``name`` of all ``parts``, stacked; each part's becomes a view of it.

    Args:
        order: that of a part's axes in memory, the one whose numbers lie side by side last; as they are if
            it is not given.
    """
    tensors: list[Tensor] = [part.get_parameter(name).data for part in parts]
    order = order or range(tensors[0].ndim)
    memory = _aligned(len(parts), tensors[0].permute(*order))
    whole = memory.permute(0, *(1 + order.index(axis) for axis in range(len(order))))
    for row, part, one in zip(whole, parts, tensors, strict=True):
        part.get_parameter(name).data = row.copy_(one)
    return nn.Parameter(whole)


def _aligned(replicas: int, like: Tensor) -> Tensor:
    """Return zeros (replicas, *shape), each replica's at a distance that is a multiple of ``ALIGNED``."""
    memory = like.new_zeros(replicas, distance(like.numel()))
    return memory[:, : like.numel()].view(replicas, *like.shape)


def distance(count: int) -> int:
    """Return how many numbers lie between the beginnings of two replicas that have ``count`` each."""
    return -(-count // ALIGNED) * ALIGNED


@final
class Linears(nn.Module):
    """yᵣ = xᵣ·Wᵣᵀ + bᵣ.

    The weights (replicas, outputs, inputs) lie in memory as Wᵣᵀ, for so their gradient is made.
    """

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.weight, self.bias = shared(parts, "weight", (1, 0)), shared(parts, "bias")

    def forward(self, x: Tensor) -> Tensor:
        """Return (replicas, n, outputs) for ``x`` (replicas, n, inputs)."""
        return torch.baddbmm(self.bias.unsqueeze(1), x, self.weight.transpose(1, 2))


def _convolutions(parts: Sequence[nn.Conv2d]) -> Convolutions:
    if not plain(parts[0]):
        raise Alone(f"{parts[0]} is none that leaves maps their size, sees all channels, and has a bias")
    return Convolutions(shared(parts, "weight", ORDER), shared(parts, "bias"))


@final
class Embeddings(nn.Module):
    """A table of vectors for each replica."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.weight = _tables(parts)

    def forward(self, numbers: Tensor) -> Tensor:
        """Return (replicas, n, …, width) for ``numbers`` (replicas, n, …), each of its own table."""
        return gathered(self.weight, numbers)

    def sums(self, text: Tensor, words: Tensor) -> Tensor:
        """Return the sums of the vectors of each text, (replicas, n, width); see ``sums_of_rows``."""
        flat = _flat_numbers(self.weight, text).flatten(0, 1)
        sums = sums_of_rows(self.weight.flatten(0, 1), flat, words.flatten(0, 1))
        return sums.view(*text.shape[:2], -1)


def _tables(parts: Sequence[nn.Module]) -> nn.Parameter:
    """Return the tables of all ``parts``, stacked, with rows of zeros at the end that nothing asks for."""
    tensors: list[Tensor] = [part.get_parameter("weight").data for part in parts]
    rows = {table_rows(len(table)) for table in tensors}
    if len(rows) > 1:
        raise Alone(f"their tables have {' and '.join(map(str, sorted(rows)))} rows")
    whole = _aligned(len(parts), tensors[0].new_empty(*rows, tensors[0].shape[1]))
    for own, part, table in zip(whole, parts, tensors, strict=True):
        part.get_parameter("weight").data = own[: len(table)].copy_(table)
    return nn.Parameter(whole)


def table_rows(words: int) -> int:
    """Return how many rows a table of so many words has in a stack."""
    return -(-words // ROWS) * ROWS


def gathered(tables: Tensor, numbers: Tensor) -> Tensor:
    """Return the rows of ``tables`` (replicas, rows, …) that ``numbers`` (replicas, …) name."""
    return nn.functional.embedding(_flat_numbers(tables, numbers), tables.flatten(0, 1))


def _flat_numbers(tables: Tensor, numbers: Tensor) -> Tensor:
    """Return where the rows of ``tables`` that ``numbers`` name stand among the rows of all of them."""
    replicas, rows = tables.shape[:2]
    first = torch.arange(replicas, device=numbers.device) * rows
    return numbers + first.view(-1, *[1] * (numbers.ndim - 1))


@final
class Droppings(nn.Module):
    """What a technique does to the activations of each replica in training, the identity in evaluation."""

    def __init__(self, parts: Sequence[Stochastic]) -> None:
        super().__init__()
        self._parts = tuple(parts)  # in a tuple: they are no parts of this one
        self.together: Together[Any] = Together(
            [partial(getattr, part, "technique") for part in parts], [part.noise for part in parts]
        )

    def forward(self, h: Tensor) -> Tensor:
        """Return activations of the shape of ``h`` (replicas, n, …)."""
        if not self.training:
            return h
        site = self._parts[0].site
        dropped: Tensor = self.together(lambda one, draws, own: one.drop(own, draws, site), h)
        return dropped

    def each(self) -> list[Callable[[Tensor], Tensor]]:
        """Return what is done to the activations of each replica."""
        return [partial(self._one, part) for part in self._parts]

    def _one(self, part: Stochastic, h: Tensor) -> Tensor:
        dropped: Tensor = part.technique.drop(h, part.noise, part.site) if self.training else h
        return dropped


def droppings(network: nn.Module) -> list[Together[Any]]:
    """Return the techniques that disturb activations in a joined network."""
    return [part.together for part in network.modules() if isinstance(part, Droppings)]


@final
class EachByItself(nn.Module):
    """A normalisation of each replica by itself, on its own slice of the scales and shifts."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self._parts = tuple(map(copy, parts))
        for part in self._parts:  # who leaves the stack takes other buffers along
            part._buffers = dict(part._buffers)  # noqa: SLF001
        self.weight, self.bias = shared(parts, "weight"), shared(parts, "bias")

    def forward(self, h: Tensor) -> Tensor:
        """Return ``h`` (replicas, n, channels), normalised."""
        normalised = [one(own).movedim(1, -1) for one, own in zip(self.each(), h, strict=True)]
        return torch.stack(normalised).movedim(-1, 2)  # channels lie side by side, as they came

    def each(self) -> list[Callable[[Tensor], Tensor]]:
        """Return the normalisation of each replica."""
        own = zip(self._parts, self.weight, self.bias, strict=True)
        return [partial(self._one, *rest) for rest in own]

    def _one(self, part: nn.Module, weight: Tensor, bias: Tensor, h: Tensor) -> Tensor:
        part.train(self.training)
        state = {"weight": weight, "bias": bias}
        normalised: Tensor = torch.func.functional_call(part, state, (h,))
        return normalised


JOINERS: dict[type[nn.Module], Callable[[Sequence[Any]], nn.Module]] = {
    nn.Linear: Linears,
    WordVectors: Embeddings,
    nn.Conv2d: _convolutions,
    nn.MaxPool2d: MaxPoolings,
    nn.Flatten: lambda _: nn.Flatten(2),
    Stochastic: Droppings,
    Normalisation: EachByItself,
    GhostNormalisation: EachByItself,
    LayerNormalisation: EachByItself,
}

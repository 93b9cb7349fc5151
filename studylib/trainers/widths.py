"""How many fits are trained at once: as many as have one shape, and as memory is enough for.

None of it changes a number: what comes out for a fit does not depend on those that it is trained with.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, final

from studylib import memory
from studylib.processes import KEPT

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from studylib.datasets.base import Examples, Split
    from studylib.errors import Divergence
    from studylib.models.base import Model
    from studylib.trainers.stacks import Member

    Train = Callable[[Sequence[Member], Model, str], list[T | Divergence]]

SPARE = 0.5  # share of what is free that is planned with: an estimate may be off, and others take some
# of the weights: they, their gradient as it is found and as it is filled up, two moments, the best ones,
# those that a replica takes along, and what a penalty makes of them
COPIES = 8
# of what each layer says of a batch: it, its gradient, and what is drawn for it and made of that
OUTPUTS = 3
COUNTED = 32  # rows on which that is looked at
OBJECTS = 60_000  # bytes of the modules and generators of a replica, however small
PLACES = 100  # bytes of an interaction: drawn, with its negatives, in order by row and by item


@final
class Footprint(NamedTuple):
    """Bytes of a stack: of each split that its fits learn from, and of each fit."""

    split: float
    replica: float

    def bytes(self, replicas: int, splits: int) -> float:
        """Return the bytes of so many fits that learn from so many splits, with what a process keeps."""
        return KEPT + replicas * self.replica + splits * self.split

    def parts(self, seeds: Sequence[int], room: float) -> Iterator[slice]:
        """Yield which fits, whose splits are of ``seeds``, are trained together in ``room`` bytes.

        Parts are even. Two fits are never parted: one alone, trained beside its twin, takes as much.
        """
        most = len(seeds)
        while most > 2 and self.bytes(most, min(most, len(set(seeds)))) > SPARE * room:
            most -= 1
        count = -(-len(seeds) // most)
        cuts = [len(seeds) * part // count for part in range(count + 1)]
        yield from (slice(*pair) for pair in pairwise(cuts))


def train(members: Sequence[Member], model: Model, device: str, together: Train[T]) -> list[T | Divergence]:
    """Return what ``together`` does of each member: those of one shape at once, if need be in halves.

    Raises:
        MemoryError: or that of torch: it is not even enough for one.
    """
    found: dict[int, T | Divergence] = {}
    for places in of_one_shape(members, model):
        some = [members[place] for place in places]
        found |= zip(places, _in_halves(some, model, device, together), strict=True)
    return [found[place] for place in range(len(members))]


def of_one_shape(members: Sequence[Member], model: Model) -> list[list[int]]:
    """Return the places of those that can be joined: their tables have as many rows, their splits too."""
    from studylib.trainers._joined import table_rows

    places: dict[tuple[object, ...], list[int]] = {}
    of_words = "text" in model.inputs
    for place, member in enumerate(members):
        split = member.split
        words, *rest = split.inputs
        shape = (table_rows(words) if of_words else words, *rest, split.train.x.shape, len(split.validation))
        places.setdefault(shape, []).append(place)
    return [*places.values()]


def _in_halves(
    members: Sequence[Member], model: Model, device: str, together: Train[T]
) -> list[T | Divergence]:
    """Return what comes of the members, who are trained half by half if memory runs out, down to one."""
    try:
        return together(members, model, device)
    except (MemoryError, RuntimeError) as error:
        if len(members) == 1 or not memory.ran_out(error):
            raise
    memory.give_back()  # here, where the error does not hold the networks any more
    half = -(-len(members) // 2)
    return [
        one for some in (members[:half], members[half:]) for one in _in_halves(some, model, device, together)
    ]


def footprint(member: Member, model: Model, device: str) -> Footprint:
    """Return what a stack of fits like ``member`` takes on ``device``, to within a factor of about two."""
    import torch

    from studylib.trainers._evaluation import EVALUATION_ROWS, tensor

    split, training = member.split, member.training
    size = 8 if training.precision == "float64" else 4
    network = _network(member, model)
    weights = sum(w.numel() for w in network.parameters())
    batch = min(training.batch_size, len(split.train))
    drawn = "interactions" in model.inputs
    rows = tensor(split.train.x[:COUNTED], torch.float32, "cpu")
    a_row = _made_of(network, (rows[:, 0], rows[:, 1:]) if drawn else (rows,)) / len(rows)
    made = a_row * max(OUTPUTS * batch, EVALUATION_ROWS[device])
    moved = [_moved(part, size) for part in (split.train, split.validation)]
    as_it_is = device == "cpu" and (split.train.x.dtype.kind != "f" or split.train.x.itemsize == size)
    own = OBJECTS + size * (COPIES * weights + made / 4) + moved[1] + PLACES * drawn * len(split.train)
    if as_it_is:
        return Footprint(_held(split) + moved[0], own)
    return Footprint(_held(split) + 2 * moved[0], own + sum(moved))


def _network(member: Member, model: Model) -> nn.Module:
    from studylib.seeds import initialising
    from studylib.trainers._rewiring import rewire
    from studylib.trainers.techniques import Techniques

    with initialising(member.seed):
        network = model.build(member.split.inputs, member.split.outputs)
    rewire(network, model, Techniques(member.regularizers, member.seed, "cpu"), len(member.split.train))
    return network


def _made_of(network: nn.Module, given: Sequence[Tensor]) -> int:
    """Return the bytes of all that is made of some rows on their way through the network, noise included."""
    import torch
    from torch.overrides import TorchFunctionMode

    made: list[int] = []

    class Counting(TorchFunctionMode):  # that of dispatch sees more, and imports for seconds
        def __torch_function__(
            self, function: Any, kinds: Any, given: Any = (), named: Mapping[str, Any] | None = None
        ) -> Any:
            out = function(*given, **(named or {}))
            if isinstance(out, torch.Tensor):
                known = {one.untyped_storage().data_ptr() for one in given if isinstance(one, torch.Tensor)}
                made.append(0 if out.untyped_storage().data_ptr() in known else out.nbytes)
            return out

    with torch.no_grad(), Counting():
        network.train()(*given)
    return sum(made)


def _held(split: Split) -> int:
    return sum(part.x.nbytes + part.y.nbytes for part in (split.train, split.validation, split.test))


def _moved(part: Examples, size: int) -> int:
    """Return the bytes of rows as a trainer has them."""
    return sum(own.size * (size if own.dtype.kind == "f" else own.itemsize) for own in (part.x, part.y))

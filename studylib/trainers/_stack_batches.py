"""The batches of a stack: those of each fit, in its own order, disturbed as it is alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch.nn import functional as F

from studylib.regularizers.base import LexicalPerturbation, Paraphrasing, Perturbation
from studylib.seeds import Noise
from studylib.trainers._batches import table, targets
from studylib.trainers._evaluation import rows
from studylib.trainers._together import of_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from studylib.datasets.base import Split
    from studylib.trainers._draws import DrawsOfAll
    from studylib.trainers._together import Together
    from studylib.trainers.techniques import Techniques


@final
class StackBatches:
    """Train rows of every replica, cut into batches (replicas, n, …) anew in each epoch.

    Replicas of one split share its rows in memory.
    """

    def __init__(self, splits: Sequence[Split], techniques: Sequence[Techniques], dtype: torch.dtype) -> None:
        device = techniques[0].device
        different = list({id(split): split for split in splits}.values())
        places = {id(split): place for place, split in enumerate(different)}
        known = {id(split): rows(split.train, dtype, device) for split in different}
        self._x = torch.stack([known[id(split)][0] for split in different])
        self._place = torch.tensor([places[id(split)] for split in splits], device=device)
        self._target = torch.stack(
            [
                targets(known[id(split)][1], split, own, dtype)
                for split, own in zip(splits, techniques, strict=True)
            ]
        )
        self._order = [Noise(own.seed, "order", device) for own in techniques]
        self._steps = _steps(splits, techniques, device)
        self._order_like = torch.empty(0)  # orders are made by the processor

    def __len__(self) -> int:
        return self._x.shape[1]

    def keep(self, places: Sequence[int]) -> None:
        """Go on with the replicas at ``places``."""
        some = torch.tensor(places, device=self._x.device)
        self._place, self._target = self._place[some], self._target[some]
        self._order = [self._order[place] for place in places]
        self._steps = [
            (one.kept(places), tables[some] if len(tables) else tables) for one, tables in self._steps
        ]

    def begin(self) -> None:
        """Begin an epoch, in which each technique is as strong as it is now."""
        for technique, _ in self._steps:
            technique.begin()

    @property
    def drawing(self) -> list[DrawsOfAll]:
        """The draws that batches are disturbed by."""
        return [technique.draws for technique, _ in self._steps]

    def epoch(self, size: int) -> Iterator[Tensor]:
        """Give the numbers of all rows once, in a new order, ``size`` of each replica at a time."""
        order = torch.stack([noise.permutation(len(self), like=self._order_like) for noise in self._order])
        yield from order.to(self._x.device).split(size, 1)

    def __call__(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of the rows of those numbers, (replicas, n), disturbed."""
        which = torch.arange(len(numbers), device=numbers.device)
        return self._disturbed(
            _taken(self._x, self._place, numbers), _taken(self._target, which, numbers), numbers
        )

    def _disturbed(self, x: Tensor, target: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
        which = torch.arange(len(x), device=x.device)[:, None]
        for technique, tables in self._steps:
            one = technique.one
            if isinstance(one, Perturbation):
                x, target = technique(lambda own, draws, *batch: own.perturb(*batch, draws), x, target)
            elif isinstance(one, Paraphrasing):
                x = technique(_replace, x, tables[which, numbers])
            else:
                x = technique(_replace, x, tables)
        return x, target


def _taken(tables: Tensor, which: Tensor, numbers: Tensor) -> Tensor:
    """Return rows (replicas, n, …) of ``numbers`` (replicas, n), each of its table: ``which`` (replicas,)."""
    flat = (which[:, None] * tables.shape[1] + numbers).flatten()
    return tables.flatten(0, 1).index_select(0, flat).view(*numbers.shape, *tables.shape[2:])


def _replace(technique: Any, draws: Any, x: Tensor, texts: Tensor) -> Tensor:
    replaced: Tensor = technique.perturb(x, draws, texts)
    return replaced


def _steps(
    splits: Sequence[Split], techniques: Sequence[Techniques], device: str
) -> list[tuple[Together[Any], Tensor]]:
    """Return what disturbs a batch, in order, each with what it knows of all words or rows."""
    ordered = sorted(of_all(Perturbation, techniques, drawing=True), key=lambda one: one.one.softens)
    some: list[Together[Any]] = [
        *of_all(Paraphrasing, techniques, drawing=True),
        *of_all(LexicalPerturbation, techniques, drawing=True),
        *ordered,
    ]
    return [
        (one, _stacked([table(own, split, device) for own, split in zip(one.each, splits, strict=True)]))
        for one in some
    ]


def _stacked(tables: list[Tensor]) -> Tensor:
    """Return tables along a first axis; the shorter ones, of fewer words, with rows of zeros at the end."""
    longest = max(map(len, tables))
    return torch.stack([F.pad(one, (*[0, 0] * (one.ndim - 1), 0, longest - len(one))) for one in tables])

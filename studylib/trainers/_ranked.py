"""What the two ways to learn a ranking share: the first network, negatives, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor
from torch.nn import functional as F

from studylib.errors import ParameterError
from studylib.models._networks import FactorizationNetwork
from studylib.seeds import Noise, initialising
from studylib.trainers._rewiring import rewire

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Split
    from studylib.models._networks import RatingNetwork
    from studylib.models.base import Model
    from studylib.trainers.techniques import Techniques

MARKS = 8  # at least so many for each train pair


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

    def scores(self) -> ScoreTable:
        """Return the scores of every row with every item, which are made when they are asked for."""
        return ScoreTable(self.network.eval())

    def norms(self) -> dict[str, float]:
        """Return the mean Euclidean norm of the factors of rows and of items."""
        return norms(self.network)


@final
@dataclass(frozen=True)
class ScoreTable:
    """The scores of rows with items, shape (rows, items), of which some rows are made at a time."""

    network: FactorizationNetwork

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of items."""
        return self.network.rows.num_embeddings, self.network.items.num_embeddings

    @torch.no_grad()
    def __getitem__(self, rows: slice) -> np.ndarray:
        """Return the scores of ``rows`` with all items."""
        return self.network.all_scores(rows).cpu().numpy()


def norms(network: FactorizationNetwork | RatingNetwork) -> dict[str, float]:
    """Return the mean Euclidean norm of the factors of rows and of items."""
    with torch.no_grad():
        return {
            "row_norm": float(network.rows.weight.norm(dim=1).mean()),
            "item_norm": float(network.items.weight.norm(dim=1).mean()),
        }


def begun(split: Split, model: Model, techniques: Techniques, dtype: torch.dtype) -> FactorizationNetwork:
    """Return the network with its first factors.

    Raises:
        ParameterError: the model is no factorization.
    """
    with initialising(techniques.seed):
        network = model.build(split.inputs, split.outputs).to(techniques.device, dtype)
    if not isinstance(network, FactorizationNetwork):
        raise ParameterError(f"ranking is learnt by matrix_factorization, not by the model {model.name}.")
    rewire(network, model, techniques, len(split.train))
    return network


@final
class Negatives:
    """Draws, for each interaction, items that its row has no train interaction with."""

    def __init__(self, pairs: Tensor, shape: tuple[int, ...], count: int) -> None:
        # numbers of pairs in order, among which one is found: a table of all would not fit into memory
        self._items, self._count = shape[1], count
        self._seen = (pairs[:, 0] * self._items + pairs[:, 1]).unique()
        full = int(((self._seen // self._items).bincount() == self._items).sum())
        if full:
            raise ParameterError(
                f"{full} of {shape[0]} rows have a train interaction with every one of the {shape[1]} items, "
                "so no negative can be drawn for them. Leave these rows out of the dataset."
            )
        # by their last bits: most pairs that are not known are told by one look, without being searched for
        self._marked = torch.zeros(
            2 ** (MARKS * len(pairs)).bit_length(), dtype=torch.bool, device=pairs.device
        )
        self._marked[self._seen % len(self._marked)] = True

    def beside(self, pairs: Tensor, noise: Noise) -> Tensor:
        """Return (n, 2 + count) of row, item and negative items, for ``pairs`` (n, 2)."""
        first = (pairs[:, :1] * self._items).expand(-1, self._count)
        drawn = noise.integers(0, self._items, *first.shape, like=pairs)
        flat, firsts = drawn.view(-1), first.flatten()
        left = self._known(firsts + flat)
        while len(left):
            flat[left] = noise.integers(0, self._items, *first.shape, like=pairs).view(-1)[left]
            left = left[self._known(firsts[left] + flat[left])]
        return torch.cat([pairs, drawn], dim=1)

    def _known(self, numbers: Tensor) -> Tensor:
        """Return the places of those ``numbers`` that train pairs have."""
        places = self._marked[numbers & len(self._marked) - 1].nonzero()[:, 0]
        asked = numbers[places]
        found = torch.searchsorted(self._seen, asked).clamp(max=len(self._seen) - 1)
        return places[self._seen[found] == asked]


def ranking_loss(scores: Tensor) -> Tensor:
    """Return the mean of −log σ(s₀ − sⱼ) for scores (n, 1 + k) of the item that was chosen and k others."""
    return -F.logsigmoid(scores[:, :1] - scores[:, 1:]).mean()


def mean_loss(network: FactorizationNetwork, batch: Tensor) -> float:
    """Return it of a batch (n, 2 + k) of rows, items and negatives, without any noise."""
    network.eval()
    with torch.no_grad():
        return float(ranking_loss(network(batch[:, 0], batch[:, 1:])))

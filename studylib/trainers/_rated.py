"""What the two ways to learn ratings share: the network as it begins, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from studylib.errors import ParameterError
from studylib.models._networks import FactorizationNetwork, RatingNetwork
from studylib.seeds import initialising
from studylib.trainers._ranked import norms
from studylib.trainers._rewiring import rewire

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Examples, Split
    from studylib.models.base import Model
    from studylib.trainers._clock import History
    from studylib.trainers.techniques import Techniques

EVALUATION_ROWS = 2**16  # at once


@final
@dataclass(frozen=True)
class Rated:
    """A trained factorization of ratings, and the mean squared errors on its way, one entry per epoch run.

    ``seconds`` is the time from the first step to the end of each epoch. What train never saw has neither
    factors nor a bias: a rating of an unknown item is μ + b_row.
    """

    network: RatingNetwork
    train_loss: list[float]
    validation_loss: list[float]
    best_epoch: int
    steps_per_epoch: int
    seconds: list[float]

    def predict(self, pairs: np.ndarray) -> np.ndarray:
        """Return the ratings (n,) of pairs (n, 2) of row and item, in float64, in no range."""
        return predicted(self.network, torch.from_numpy(pairs)).double().cpu().numpy()

    def norms(self) -> dict[str, float]:
        """Return the mean Euclidean norm of the factors of rows and of items."""
        return norms(self.network)


def begun(split: Split, model: Model, techniques: Techniques, dtype: torch.dtype) -> RatingNetwork:
    """Return the network with its first factors, of which what train does not hold has none.

    Raises:
        ParameterError: the model is no factorization.
    """
    with initialising(techniques.seed):
        pairs = model.build(split.inputs, split.outputs)
    if not isinstance(pairs, FactorizationNetwork):
        raise ParameterError(f"ratings are learnt by matrix_factorization, not by the model {model.name}.")
    network = RatingNetwork(pairs, float(split.train.y.mean())).to(techniques.device, dtype)
    rewire(network, model, techniques, len(split.train))
    forget_unseen(network, split)
    return network


def forget_unseen(network: RatingNetwork, split: Split) -> None:
    """Take factors and bias from the rows and the items that train does not hold."""
    network.forget(*unseen(split))


def unseen(split: Split) -> tuple[Tensor, Tensor]:
    """Return the numbers of the rows and of the items that train does not hold."""
    known = torch.from_numpy(split.train.x)
    counts = [known[:, side].bincount(minlength=size) for side, size in enumerate(split.inputs)]
    rows, items = ((count == 0).nonzero()[:, 0] for count in counts)
    return rows, items


def tensors(examples: Examples, network: RatingNetwork) -> tuple[Tensor, Tensor]:
    """Return pairs (n, 2) and ratings (n,), where the network is and as it counts."""
    mean = network.mean
    return torch.from_numpy(examples.x).to(mean.device), torch.from_numpy(examples.y).to(mean)


@torch.no_grad()
def predicted(network: RatingNetwork, pairs: Tensor) -> Tensor:
    """Return the ratings (n,) of pairs (n, 2), without any noise."""
    network.eval()
    own = pairs.to(network.mean.device)
    return torch.cat([network(some) for some in own.split(EVALUATION_ROWS)])


def squared_error(network: RatingNetwork, rated: tuple[Tensor, Tensor]) -> float:
    """Return the mean squared error on pairs (n, 2) and their ratings (n,)."""
    pairs, ratings = rated
    return float((predicted(network, pairs) - ratings).square().mean())


def concluded(network: RatingNetwork, split: Split, history: History, steps: int) -> Rated:
    """Return the network, what it knows of nothing forgotten, with its history."""
    forget_unseen(network, split)
    return Rated(network, *history.losses, history.best_epoch, steps, history.seconds)

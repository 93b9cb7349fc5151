"""One fit of a matrix factorization: the right trainer for task and optimizer, and everything measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.errors import Divergence
from studylib.trainers._ranked import Factorized
from studylib.trainers.base import Outcome
from studylib.trainers.measures import monitored, spread
from studylib.trainers.recommendations import ranked, rated
from studylib.trainers.stacks import Member, why_alone

if TYPE_CHECKING:
    from studylib.datasets.base import Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers._rated import Rated
    from studylib.trainers.base import Training


def trained(
    task: str,
    split: Split,
    model: Model,
    regularizers: tuple[Regularizer, ...],
    training: Training,
    seed: int,
    device: str,
) -> Factorized | Rated:
    """Return what is learnt of a "ranking" or of a "rating".

    Raises:
        Divergence: the training left the finite numbers.
        ParameterError: the model is no factorization, or a row leaves no item to draw as a negative.
    """
    if training.optimizer == "exact":
        return _exact(task, split, model, regularizers, training, seed)
    if why_alone(model, regularizers, device):
        return _alone(task, split, model, regularizers, training, seed, device)
    from studylib.trainers import stacked_factors

    train = stacked_factors.BY_TASK[task]
    found: Factorized | Rated | Divergence = train(
        [Member(split, regularizers, training, seed)], model, device
    )[0]
    if isinstance(found, Divergence):
        raise found
    return found


def _exact(
    task: str,
    split: Split,
    model: Model,
    regularizers: tuple[Regularizer, ...],
    training: Training,
    seed: int,
) -> Factorized | Rated:
    if task == "ranking":
        from studylib.trainers import confidence

        return confidence.train(split, model, regularizers, training, seed)
    from studylib.trainers import alternating

    return alternating.train(split, model, regularizers, training, seed)


def _alone(
    task: str,
    split: Split,
    model: Model,
    regularizers: tuple[Regularizer, ...],
    training: Training,
    seed: int,
    device: str,
) -> Factorized | Rated:
    if task == "ranking":
        from studylib.trainers import factorization

        return factorization.train(split, model, regularizers, training, seed, device)
    from studylib.trainers import ratings

    return ratings.train(split, model, regularizers, training, seed, device)


def measured(found: Factorized | Rated, split: Split, model: Model) -> Outcome:
    """Return metrics and curves on train, validation and test interactions, and what the factors are like."""
    if isinstance(found, Factorized):
        metrics, curves = ranked(found.scores(), split)
        score = -metrics["validation_ndcg_at_20"]
    else:
        metrics, curves = rated(found.predict, split)
        score = metrics["validation_loss"]
    return monitored(Outcome(metrics | _factors(found, model), score, curves), found)


def _factors(found: Factorized | Rated, model: Model) -> dict[str, float]:
    """Return how long the factors are, and how they are spread."""
    from studylib.trainers._rewiring import weights

    acting = [weights(found.network, layer) for layer in model.layers()]
    return found.norms() | spread(*(w.detach().cpu().numpy() for w in acting))

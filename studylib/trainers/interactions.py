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
    from studylib.trainers._rated import Rated


def trained(task: str, one: Member, model: Model, device: str) -> Factorized | Rated:
    """Return what a fit learns of a "ranking" or of a "rating".

    Raises:
        Divergence: the training left the finite numbers.
        ParameterError: the model is no factorization, or a row leaves no item to draw as a negative.
    """
    if one.training.optimizer == "exact":
        return _exact(task, one, model)
    if why_alone(model, one.regularizers, device):
        return _by_itself(task, one, model, device)
    from studylib.trainers import stacked_factors

    found: Factorized | Rated | Divergence = stacked_factors.BY_TASK[task]([one], model, device)[0]
    if isinstance(found, Divergence):
        raise found
    return found


def _exact(task: str, one: Member, model: Model) -> Factorized | Rated:
    from studylib.trainers import alternating, confidence

    train = confidence.train if task == "ranking" else alternating.train
    return train(one.split, model, one.regularizers, one.training, one.seed)


def _by_itself(task: str, one: Member, model: Model, device: str) -> Factorized | Rated:
    from studylib.trainers import factorization, ratings

    train = factorization.train if task == "ranking" else ratings.train
    return train(one.split, model, one.regularizers, one.training, one.seed, device)


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

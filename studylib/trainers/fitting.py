"""One fit, whole: the right trainer for the model, strengths chosen, everything measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from studylib.errors import Divergence
from studylib.regularizers.base import Averaging, Prediction
from studylib.trainers.base import Outcome, Training
from studylib.trainers.candidates import Settings, choices, chosen
from studylib.trainers.compatibility import refuse_misfits
from studylib.trainers.measures import lowest_epoch, pace, ranked, sizes, spread, supervised

if TYPE_CHECKING:
    from collections.abc import Callable

    from studylib.datasets.base import Dataset, Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers.factorization import Factorized
    from studylib.trainers.gradient import Trained

    Learner = Callable[[Split, Model, tuple[Regularizer, ...], Training, int, str], Outcome]


TRAINERS = ("gradient", "linear", "factorization")


def trainer(task: str, optimizer: str) -> str:
    """Return which of ``TRAINERS`` learns a dataset's ``task`` with an ``optimizer``."""
    if optimizer == "exact":
        return "linear"
    return "factorization" if task == "ranking" else "gradient"


def fit(
    dataset: Dataset, model: Model, settings: Settings, training: Training, seed: int, device: str
) -> Outcome:
    """Train ``model`` on the split of ``seed`` and measure it on train, validation and test rows.

    Settings that are left open (a list or a range) are chosen on validation rows by the loss, or by the NDCG
    at 20 for a ranking; or by cross-validation inside the train rows where the trainer is exact. Test rows
    are never looked at. A candidate that diverges is passed over.

    Raises:
        Divergence: the training, or with open settings every one of them, left the finite numbers.
        ParameterError: the parts do not fit together.
    """
    candidates = choices(settings)
    for regularizers in candidates:
        refuse_misfits(dataset, model, regularizers, training, where="fit")
    split = dataset.split(seed)
    which = trainer(dataset.task, training.optimizer)
    if which == "linear":
        outcome, taken = _exact(split, candidates, training, seed)
    else:
        learn = _ranking if which == "factorization" else _gradient
        outcome, taken = _best(learn, split, model, candidates, training, seed, device)
    return replace(outcome, metrics={**outcome.metrics, **chosen(settings, taken)})


def _best(
    learn: Learner,
    split: Split,
    model: Model,
    candidates: list[tuple[Regularizer, ...]],
    training: Training,
    seed: int,
    device: str,
) -> tuple[Outcome, int]:
    outcomes: dict[int, Outcome] = {}
    last: Divergence | None = None
    for number, regularizers in enumerate(candidates):
        try:
            outcomes[number] = learn(split, model, regularizers, training, seed, device)
        except Divergence as error:
            last = error
    if last and not outcomes:
        raise last
    best = min(outcomes, key=lambda number: outcomes[number].score)
    return outcomes[best], best


def _gradient(
    split: Split,
    model: Model,
    regularizers: tuple[Regularizer, ...],
    training: Training,
    seed: int,
    device: str,
) -> Outcome:
    from studylib.trainers import gradient
    from studylib.trainers._rewiring import weights

    trained = gradient.train(split, model, regularizers, training, seed, device)
    acting = [weights(trained.module, layer) for layer in model.layers()]
    metrics, curves = supervised(trained.predictive, split)
    metrics |= sizes(*(w.detach().cpu().numpy() for w in acting))
    # the history is of other weights, or of outputs as they were before predictions were made of them
    other = any(isinstance(one, Averaging | Prediction) for one in regularizers)
    score = metrics["validation_loss"] if other else trained.validation_loss[trained.best_epoch - 1]
    return _monitored(Outcome(metrics, score, curves), trained)


def _exact(
    split: Split, candidates: list[tuple[Regularizer, ...]], training: Training, seed: int
) -> tuple[Outcome, int]:
    from studylib.trainers import linear
    from studylib.trainers._predictive import Predictive

    solution = linear.train(split, candidates, training, seed)
    metrics, curves = supervised(lambda x: Predictive.of_one_pass(solution.predict(x)), split)
    metrics |= sizes(solution.weights)
    curves["coefficients"] = solution.weights.tolist()
    return Outcome(metrics, metrics["validation_loss"], curves), solution.chosen


def _ranking(
    split: Split,
    model: Model,
    regularizers: tuple[Regularizer, ...],
    training: Training,
    seed: int,
    device: str,
) -> Outcome:
    from studylib.trainers import factorization
    from studylib.trainers._rewiring import weights

    trained = factorization.train(split, model, regularizers, training, seed, device)
    metrics, curves = ranked(trained.scores(), split)
    acting = [weights(trained.network, layer) for layer in model.layers()]
    metrics |= trained.norms() | spread(*(w.detach().cpu().numpy() for w in acting))
    return _monitored(Outcome(metrics, -metrics["validation_ndcg_at_20"], curves), trained)


def _monitored(outcome: Outcome, trained: Trained | Factorized) -> Outcome:
    """Return the outcome with what was seen on the way."""
    curves = {"train_loss": trained.train_loss, "validation_loss": trained.validation_loss}
    seen = {"best_epoch": float(trained.best_epoch)} | pace(trained.validation_loss, trained.steps_per_epoch)
    return Outcome(
        {**outcome.metrics, **seen},
        outcome.score,
        {**outcome.curves, **curves},
        trained.seconds[lowest_epoch(trained.validation_loss) - 1],
    )

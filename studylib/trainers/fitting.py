"""One fit, whole: the right trainer for the model, strengths chosen, everything measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any, final

from studylib.errors import Divergence, ParameterError
from studylib.regularizers.base import Averaging, Prediction
from studylib.trainers.base import Outcome, Training
from studylib.trainers.candidates import Settings, choices, chosen
from studylib.trainers.compatibility import refuse_misfits
from studylib.trainers.measures import monitored, sizes, supervised
from studylib.trainers.stacks import Member, why_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from studylib.datasets.base import Dataset, Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.trainers.gradient import Trained
    from studylib.trainers.widths import Train

    Measure = Callable[[Any, Split, Model, tuple[Regularizer, ...]], Outcome]


WHOLE: Mapping[str, int] = {}  # no fold: all train rows
SCORES = "candidate_scores"  # the curve of what the candidates of one fit were chosen by, infinite for none
TRAINERS = (
    "gradient",
    "stacked",
    "linear",
    "factorization",
    "confidence",
    "ratings",
    "alternating",
    "stacked_factors",
)
FAMILIES = {  # by steps; which of the two it is depends on the techniques
    "gradient": {"gradient", "stacked"},
    "factorization": {"factorization", "stacked_factors"},
    "ratings": {"ratings", "stacked_factors"},
}
# of interactions: by steps, and exact
OF_INTERACTIONS = {"ranking": ("factorization", "confidence"), "rating": ("ratings", "alternating")}


def trainer(task: str, optimizer: str) -> str:
    """Return which of ``TRAINERS`` learns a dataset's ``task`` with an ``optimizer``; see ``stacks`` too."""
    stochastic, exact = OF_INTERACTIONS.get(task, ("gradient", "linear"))
    return exact if optimizer == "exact" else stochastic


@final
@dataclass(frozen=True)
class Case:
    """What one of several fits of a stack has of its own."""

    settings: Settings
    training: Training
    seed: int
    fold: Mapping[str, int]


def fits(
    dataset: Dataset, model: Model, cases: Sequence[Case], device: str, room: float = inf
) -> list[Outcome | Divergence]:
    """Return what ``fit`` does for each of ``cases``, which may be stacked, or why it diverged.

    They have the same techniques, but for strengths, the same fold, and the same training, but for the
    learning rate. As many are trained at once as ``room`` bytes are enough for, which changes no number.

    Raises:
        ParameterError: the parts do not fit together.
    """
    from studylib.trainers import widths

    train, measured = _together(dataset.task)
    first = _member(dataset, model, cases[0], {})
    outcomes: list[Outcome | Divergence] = []
    for some in widths.footprint(first, model, device).parts([case.seed for case in cases], room):
        splits = {first.seed: first.split}
        members = [_member(dataset, model, case, splits) for case in cases[some]]
        outcomes += [
            one if isinstance(one, Divergence) else measured(one, member.split, model, member.regularizers)
            for one, member in zip(widths.train(members, model, device, train), members, strict=True)
        ]
    return outcomes


def _together(task: str) -> tuple[Train[Any], Measure]:
    """Return what trains several fits of a ``task`` as one network, and what measures one of them."""
    if task in OF_INTERACTIONS:
        from studylib.trainers import interactions, stacked_factors

        return stacked_factors.BY_TASK[task], lambda one, split, model, _: interactions.measured(
            one, split, model
        )
    from studylib.trainers import stacked

    return stacked.train, _measured


def _member(dataset: Dataset, model: Model, case: Case, splits: dict[int, Split]) -> Member:
    """Return a fit of a stack; those of one seed share one of ``splits``, in memory too."""
    [regularizers] = choices(case.settings)
    refuse_misfits(dataset, model, regularizers, case.training, where="fit")
    if case.seed not in splits:
        splits[case.seed] = _split(dataset, case.seed, case.fold)
    return Member(splits[case.seed], regularizers, case.training, case.seed)


def fit(
    dataset: Dataset,
    model: Model,
    settings: Settings,
    training: Training,
    seed: int,
    device: str,
    fold: Mapping[str, int] = WHOLE,
) -> Outcome:
    """Train ``model`` on the split of ``seed`` and measure it on train, validation and test rows.

    With a ``fold`` (see ``folding.folded``) it is trained on the other folds of the train rows, and what is
    measured on validation rows is measured on that fold.

    An exact trainer takes settings that are left open (a list or a range), chosen by cross-validation inside
    the train rows: the solutions of a path share their work. Every other trial is a fit of its own. Test
    rows are never looked at to choose.

    Raises:
        Divergence: the training, or with open settings every one of them, left the finite numbers.
        ParameterError: the parts do not fit together, or something is open that is not exact.
    """
    candidates = choices(settings)
    for regularizers in candidates:
        refuse_misfits(dataset, model, regularizers, training, where="fit")
    split = _split(dataset, seed, fold)
    which = trainer(dataset.task, training.optimizer)
    if which == "linear":
        outcome, taken = _exact(split, candidates, training, seed)
        return replace(outcome, metrics={**outcome.metrics, **chosen(settings, taken)})
    if len(candidates) > 1:
        raise ParameterError(f"fit: expected one candidate, for each is a fit, got {len(candidates)}.")
    member = Member(split, candidates[0], training, seed)
    if dataset.task in OF_INTERACTIONS:
        from studylib.trainers import interactions

        trained = interactions.trained(dataset.task, member, model, device)
        return interactions.measured(trained, split, model)
    learn = _by_itself if why_alone(model, candidates[0], device, dataset.side) else _as_in_a_stack
    return _measured(learn(member, model, device), split, model, candidates[0])


def _split(dataset: Dataset, seed: int, fold: Mapping[str, int]) -> Split:
    split = dataset.split(seed)
    if fold:
        from studylib.trainers.folding import folded

        split = folded(split, seed, fold)
    return split


def _by_itself(one: Member, model: Model, device: str) -> Trained:
    from studylib.trainers import gradient

    return gradient.train(one.split, model, one.regularizers, one.training, one.seed, device)


def _as_in_a_stack(one: Member, model: Model, device: str) -> Trained:
    from studylib.trainers import stacked

    [found] = stacked.train([one], model, device)
    if isinstance(found, Divergence):
        raise found
    return found


def _measured(trained: Trained, split: Split, model: Model, regularizers: tuple[Regularizer, ...]) -> Outcome:
    from studylib.trainers._rewiring import weights

    acting = [weights(trained.module, layer) for layer in model.layers()]
    metrics, curves = supervised(trained.predictive, split)
    metrics |= sizes(*(w.detach().cpu().numpy() for w in acting))
    # the history is of other weights, or of outputs as they were before predictions were made of them
    other = any(isinstance(one, Averaging | Prediction) for one in regularizers)
    score = metrics["validation_loss"] if other else trained.validation_loss[trained.best_epoch - 1]
    return monitored(Outcome(metrics, score, curves), trained)


def _exact(
    split: Split, candidates: list[tuple[Regularizer, ...]], training: Training, seed: int
) -> tuple[Outcome, int]:
    from studylib.trainers import linear
    from studylib.trainers._predictive import Predictive

    solution = linear.train(split, candidates, training, seed)
    metrics, curves = supervised(lambda x: Predictive.of_one_pass(solution.predict(x)), split)
    metrics |= sizes(solution.weights)
    curves["coefficients"] = linear.by_column(solution.weights).tolist()
    if len(candidates) > 1:
        curves[SCORES] = list(solution.scores)
    return Outcome(metrics, metrics["validation_loss"], curves), solution.chosen

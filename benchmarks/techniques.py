"""What a training step costs with each technique, as a multiple of one with no regularizer; one thread.

Each is timed at typical settings (its ``EXAMPLE``) on the first model that it fits: the small CNN and the MLP
on digits, the LSTM on text, then any other; what acts on another technique does so on dropout. All train on
the same rows, 64 at once, and measure losses after each epoch, as every fit does. A round trains once with
each technique of a model and once with none; what counts is the median of the rounds' ratios. Time is that
of the processor, which leaves out what others do with the machine. A training is two epochs long, in which
gradual unfreezing trains little yet, and is cheaper than none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median, mode
from time import process_time
from typing import TYPE_CHECKING, NamedTuple, final

from studylib import datasets, models
from studylib.errors import ParameterError, StudyError
from studylib.regularizers import EXAMPLES
from studylib.trainers.base import Training
from studylib.trainers.compatibility import refuse_misfits

if TYPE_CHECKING:
    from studylib.datasets.base import Dataset, Examples, Split
    from studylib.models.base import Model

Arm = tuple[str, ...]  # names of techniques

EPOCHS, STEPS, BATCH, ROUNDS = 2, 32, 64, 5  # steps per epoch
DEAR = 2.0  # times the cost without
FIRST = (("digits", "small_cnn"), ("digits", "mlp"), ("docstrings", "lstm"))
THEN = ("imports", "digits", "breast_cancer", "docstrings")  # before other datasets
OPTIMIZERS = ("adamw", "sgd")


@final
class Place(NamedTuple):
    """Where techniques are timed."""

    dataset: Dataset
    model: Model
    training: Training

    def __str__(self) -> str:
        other = "" if self.training.optimizer == OPTIMIZERS[0] else f", {self.training.optimizer}"
        return f"{self.dataset.name}, {self.model.name}{other}"


@final
class Cost(NamedTuple):
    """What a step with ``arm`` takes over one without, in each round."""

    arm: Arm
    place: str
    ratios: list[float]

    def __str__(self) -> str:
        spread = f"{min(self.ratios):.2f} to {max(self.ratios):.2f}"
        dear = f"  above {DEAR:g} ×" if self.typical > DEAR else ""
        return f"{' + '.join(self.arm):<32} {self.place:<30} {self.typical:6.2f} × ({spread}){dear}"

    @property
    def typical(self) -> float:
        """The median."""
        return median(self.ratios)


def main() -> None:
    """Print what a step without takes, the table, the dearest first, and what could not be timed and why."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    places = list(_places())
    arms: dict[int, list[Arm]] = {}
    untimed: dict[Arm, str] = {}
    for name in EXAMPLES:
        try:
            place, arm = _fitting(name, places)
            arms.setdefault(place, []).append(arm)
        except ParameterError as error:
            untimed[(name,)] = str(error)
    costs = [cost for place in sorted(arms) for cost in _costs(places[place], arms[place], untimed)]
    for cost in sorted(costs, key=lambda cost: -cost.typical):
        print(cost)
    for arm, reason in untimed.items():
        print(f"{' + '.join(arm):<32} not timed: {reason}")


def _places() -> Iterator[Place]:
    """Yield where to look for a fit, in that order."""
    pairs = [pair for pair in FIRST if pair[0] in datasets.CATALOGUE and pair[1] in models.CATALOGUE]
    examples = {name: datasets.CATALOGUE.example(name) for name in (*THEN, *datasets.CATALOGUE)}
    for model in models.CATALOGUE:
        taken = models.CATALOGUE[model].inputs
        pairs += [(data, model) for data in examples if examples[data].inputs in taken]
    for optimizer in OPTIMIZERS:
        training = Training.model_validate({"epochs": EPOCHS, "batch_size": BATCH, "optimizer": optimizer})
        for data, model in dict.fromkeys(pairs):
            yield Place(examples[data], models.CATALOGUE.example(model), training)


def _fitting(name: str, places: list[Place]) -> tuple[int, Arm]:
    """Return the number of the first place that technique ``name`` fits, and the arm that it fits in.

    Raises:
        ParameterError: there is none.
    """
    reasons = []
    for number, (dataset, model, training) in enumerate(places):
        for arm in ((name,), (name, "dropout")):
            try:
                refuse_misfits(dataset, model, [EXAMPLES[one] for one in arm], training, "EXAMPLES")
            except ParameterError as error:
                reasons.append(str(error))
            else:
                return number, arm
    raise ParameterError(mode(reasons))


def _costs(place: Place, arms: list[Arm], untimed: dict[Arm, str]) -> Iterator[Cost]:
    """Yield what each arm costs; one that cannot train goes to ``untimed`` with the reason."""
    split = _cut(place.dataset.split(0))
    contestants = {arm: _per_step(place, split, arm) for arm in ((), *arms)}
    for arm in arms:
        try:
            contestants[arm]()  # it warms up
        except StudyError as error:
            untimed[arm] = str(error)
            del contestants[arm]
    rounds = [{arm: per_step() for arm, per_step in contestants.items()} for _ in range(ROUNDS)]
    without = median(seconds[()] for seconds in rounds)
    print(f"{place}: {1e3 * without:.2f} ms per step without a regularizer")
    for arm in list(contestants)[1:]:
        yield Cost(arm, str(place), [seconds[arm] / seconds[()] for seconds in rounds])


def _per_step(place: Place, split: Split, arm: Arm) -> Callable[[], float]:
    """Return what trains once, and says how many seconds a step took."""
    from studylib.trainers import factorization, gradient

    train = factorization.train if place.dataset.task == "ranking" else gradient.train
    regularizers = [EXAMPLES[name] for name in arm]

    def per_step() -> float:
        start = process_time()
        trained = train(split, place.model, regularizers, place.training, 0)
        return (process_time() - start) / (STEPS * len(trained.train_loss))

    return per_step


def _cut(split: Split) -> Split:
    """Return a split whose train rows are enough for the steps, and whose validation rows are few."""
    train, validation = _rows(split.train, STEPS * BATCH), _rows(split.validation, BATCH)
    return replace(split, train=train, validation=validation)


def _rows(examples: Examples, count: int) -> Examples:
    import numpy as np

    numbers = np.arange(count) % len(examples)
    return replace(examples, x=examples.x[numbers], y=examples.y[numbers])

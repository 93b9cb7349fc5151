"""Matrix factorizations trained as one: model-steps per second of one thread, beside one by one.

The ranking is that of imports, 13 448 interactions of 1 793 modules with 736 others, 32 factors, batches of
1024; 8 strengths of `embedding_l2` × 10 seeds, seed by seed, as `studylib.stacking` hands them out. The loop
over single fits does the same steps, of as many fits as take about as long. Both measure the loss of all
train and validation interactions after each epoch. Rounds are interleaved, seconds are of the processor.
Beside it, printed alone: rates of dropout, the ratings of MovieLens, and what stacks of several widths cost,
which `studylib.costs.MEASURED` holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from time import process_time
from typing import TYPE_CHECKING, Any

from benchmarks._asked import FACTORS, ONE_BY_ONE
from benchmarks._figures import Contestant, one_thread, raced
from benchmarks.stacks import UNIT, line
from studylib.costs import cost
from studylib.errors import ParameterError

if TYPE_CHECKING:
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.speeds import Figure
    from studylib.trainers.stacks import Member

    Arm = tuple[Regularizer, ...]

IMPORTS: Mapping[str, Any] = {"name": "imports"}
STARS: Mapping[str, Any] = {"name": "movielens_small", "feedback": "explicit", "held_out": "random"}
ROUNDS, SEEDS, BATCH, EPOCHS = 3, 10, 1024, 8
STRENGTHS = (1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
RATES = (0.1, 0.2, 0.3, 0.5)
WIDTHS = (1, 2, 3, 5, 10, 20)


def main() -> list[Figure]:
    """Print model-steps per second of each, and how many times the loop's ours is; return the figure."""
    from studylib.regularizers import make

    one_thread()
    priced: list[Arm] = [(make("embedding_l2", strength=strength),) for strength in STRENGTHS]
    dropped: list[Arm] = [(make("dropout", rate=rate),) for rate in RATES]
    figures = _compared(FACTORS, IMPORTS, priced)
    _compared("the same, 4 rates of dropout", IMPORTS, dropped)
    try:
        _compared("stars, 4 λ", STARS, priced[2:6])
    except ParameterError as error:  # its files are not here: nothing is asked of it
        print(f"stars, 4 λ: {error}")
    _widths()
    return figures


def _compared(work: str, dataset: Mapping[str, Any], arms: Sequence[Arm]) -> list[Figure]:
    fits, each = _members(dataset, arms), _steps(dataset)
    some = fits[:: max(1, len(fits) // 4)]
    return raced(
        work,
        UNIT,
        {
            "stacked": Contestant(partial(_stacked, dataset, fits), len(fits) * each),
            ONE_BY_ONE: Contestant(partial(_one_by_one, dataset, some), len(some) * each),
        },
    )


def _widths() -> None:
    """Print what a step of stacks of several widths costs, and the line through it."""
    from studylib.regularizers import make

    many = _members(IMPORTS, [(make("embedding_l2", strength=0.01),)]) * (max(WIDTHS) // SEEDS)
    took: dict[int, list[float]] = {width: [] for width in (0, *WIDTHS)}
    for _ in range(ROUNDS):
        for width, seconds in took.items():  # 0: two by the loop over one network
            start = process_time()
            _stacked(IMPORTS, many[:width], width) if width else _one_by_one(IMPORTS, many[:2])
            seconds.append(process_time() - start)
    steps_of = {width: 1e6 * min(seconds) / _steps(IMPORTS) for width, seconds in took.items()}
    alone = steps_of.pop(0) / 2
    told = ", ".join(f"{width}: {step:.0f}" for width, step in steps_of.items())
    print(
        f"factors, µs of a step by width: {told}; {line(steps_of, alone)}; now {cost('cpu', _model().name)}"
    )


def _stacked(dataset: Mapping[str, Any], fits: Sequence[Member], most: int = 0) -> None:
    """Train neighbours of one structure together, as many at a time as pay."""
    from studylib.trainers.stacked_factors import BY_TASK

    train, most = BY_TASK[_task(dataset)], most or cost("cpu", _model().name).most
    for first in range(0, len(fits), most):
        train(fits[first : first + most], _model(), "cpu")


def _one_by_one(dataset: Mapping[str, Any], fits: Sequence[Member]) -> None:
    """Train each with the loop over one network."""
    from studylib.trainers import factorization, ratings

    train: Any = {"ranking": factorization.train, "rating": ratings.train}[_task(dataset)]
    for one in fits:
        train(one.split, _model(), one.regularizers, one.training, one.seed)


def _members(dataset: Mapping[str, Any], arms: Sequence[Arm]) -> list[Member]:
    """Return fits, seed by seed."""
    from studylib.trainers.base import Training
    from studylib.trainers.stacks import Member

    training = Training(epochs=EPOCHS, batch_size=BATCH, learning_rate=0.01)
    splits = [_dataset(dataset).split(seed) for seed in range(SEEDS)]
    return [Member(splits[seed], arm, training, seed) for seed, arm in product(range(SEEDS), arms)]


def _steps(dataset: Mapping[str, Any]) -> int:
    return EPOCHS * -(-len(_dataset(dataset).split(0).train) // BATCH)


def _task(dataset: Mapping[str, Any]) -> str:
    return str(_dataset(dataset).task)


def _dataset(dataset: Mapping[str, Any]) -> Any:
    from studylib import datasets

    settings = dict(dataset)
    return datasets.CATALOGUE.make(settings.pop("name"), settings)


def _model() -> Model:
    from studylib import models

    return models.CATALOGUE.make("matrix_factorization", {})

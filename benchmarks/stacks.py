"""Fits trained as one network: model-steps per second of one thread, beside one by one and beside peers.

The digits MLP is 64-128-128-10 at batch 64, ten seeds; its limit is what a large product of matrices reaches
on the same core. Elastic net is the same MLP with 20 strengths × 10 seeds, in proximal steps; skorch adds the
penalty to the loss. The bag of words is that of docstrings, 8 arms × 10 seeds. Peers and the loop over single
fits do the same steps, of as many fits as take about as long. Ours measures the loss on train and validation
rows after each epoch; the peers measure nothing there. Rounds are interleaved, seconds are of the processor.
Last, what stacks of several widths cost, and the line through it, which `studylib.costs.MEASURED` holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby, pairwise, product
from time import process_time
from typing import TYPE_CHECKING, Any

from benchmarks import gradient as alone
from benchmarks._asked import (
    DATA_LOADER,
    DIGITS,
    ELASTIC_NETS,
    LIMIT,
    ONE_BY_ONE,
    SCIKIT_LEARN,
    SKORCH,
    WORDS,
)
from benchmarks._figures import Contestant, one_thread, raced
from studylib.costs import Cost, cost

if TYPE_CHECKING:
    from studylib.datasets.base import Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.speeds import Figure
    from studylib.trainers.stacked import Member

    Arm = tuple[Regularizer, ...]

UNIT = "model-steps/s"
ROUNDS, SEEDS, BATCH = 3, 10, 64  # rounds of the widths
EPOCHS = 5
SIZES = (64, 128, 128, 10)
MIX, STRENGTHS = 0.5, tuple(10 ** (-5 + place / 5) for place in range(20))
LARGE, PRODUCTS = 1024, 10
WIDTHS = (2, 3, 5, 10, 20, 40)


def main() -> list[Figure]:
    """Print model-steps per second of each, and how many times a peer's ours is; return the figures."""
    one_thread()
    figures = [*_digits(), *_elastic_nets(), *_words()]
    _widths()
    return figures


def _digits() -> list[Figure]:
    split, model = _rows("digits"), _mlp()
    fits = _members("digits", [()], SEEDS)
    each = EPOCHS * steps(split)
    peers = alone.EPOCHS * steps(split)
    flops = 6 * BATCH * sum(a * b for a, b in pairwise(SIZES))
    return raced(
        DIGITS,
        UNIT,
        {
            "stacked": Contestant(partial(stacked, fits, model), SEEDS * each),
            ONE_BY_ONE: Contestant(partial(one_by_one, fits[:2], model), 2 * each),
            SKORCH: Contestant(alone.skorch(split, model), peers),
            SCIKIT_LEARN: Contestant(alone.scikit_learn(split), peers),
            DATA_LOADER: Contestant(alone.data_loader(split, model), peers),
            LIMIT: Contestant(_products, PRODUCTS * 2 * LARGE**3 / flops),
        },
    )


def _products() -> None:
    import torch

    a, b = torch.randn(2, LARGE, LARGE)
    for _ in range(PRODUCTS):
        a @ b


def _elastic_nets() -> list[Figure]:
    from studylib.regularizers import make

    split, model = _rows("digits"), _mlp()
    arms = [(make("elastic_net", strength=strength, mix=MIX),) for strength in STRENGTHS]
    fits = _members("digits", arms, SEEDS)
    each = EPOCHS * steps(split)
    return raced(
        ELASTIC_NETS,
        UNIT,
        {
            "stacked": Contestant(partial(stacked, fits, model), len(fits) * each),
            ONE_BY_ONE: Contestant(partial(one_by_one, fits[::67], model), 3 * each),
            SKORCH: Contestant(partial(_skorch, split, model), each),
        },
    )


def _skorch(split: Split, model: Model) -> None:
    """Train with the penalty in the loss, as skorch's users do."""
    import torch
    from skorch import NeuralNetClassifier

    class Penalised(NeuralNetClassifier):  # type: ignore[misc]  # skorch is not typed
        def get_loss(self, *args: Any, **told: Any) -> torch.Tensor:
            loss: torch.Tensor = super().get_loss(*args, **told)
            for name, w in self.module_.named_parameters():
                if name.endswith("weight"):
                    loss = loss + STRENGTHS[0] * (MIX * w.abs().sum() + (1 - MIX) * w.square().sum())
            return loss

    Penalised(
        model.build(split.inputs, split.outputs),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=0.0,
        lr=alone.RATE,
        batch_size=BATCH,
        max_epochs=EPOCHS,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    ).fit(split.train.x, split.train.y)


def _words() -> list[Figure]:
    from studylib import models
    from studylib.regularizers import make

    arms: list[Arm] = [
        (),
        (make("label_smoothing", strength=0.1),),
        (make("dropout", rate=0.5),),
        (make("word_dropout", rate=0.2),),
        (make("weight_decay", strength=0.3),),
        (make("l2", strength=1e-4),),
        (make("max_norm", limit=1.0, layers="output"),),
        (make("early_stopping", patience=EPOCHS),),
    ]
    model = models.CATALOGUE.make("bag_of_words", {})
    fits = _members("docstrings", arms, SEEDS)
    each = EPOCHS * steps(_rows("docstrings"))
    return raced(
        WORDS,
        UNIT,
        {
            "stacked": Contestant(partial(stacked, fits, model), len(fits) * each),
            ONE_BY_ONE: Contestant(partial(one_by_one, fits[::SEEDS], model), len(arms) * each),
        },
    )


def _widths() -> None:
    """Print what a step of stacks of several widths costs, and the line through it."""
    from studylib import models

    on_digits = [(name, "digits") for name in ("mlp", "linear", "small_cnn")]
    for name, dataset in (*on_digits, ("bag_of_words", "docstrings")):
        model = _mlp() if name == "mlp" else models.CATALOGUE.make(name, {})
        each = EPOCHS * steps(_rows(dataset))
        many = _members(dataset, [()], SEEDS) * (max(WIDTHS) // SEEDS)
        took: dict[int, list[float]] = {width: [] for width in (0, *WIDTHS)}
        for _ in range(ROUNDS):
            for width, seconds in took.items():  # 0: two by the loop over one network
                start = process_time()
                stacked(many[:width], model, width) if width else one_by_one(many[:2], model)
                seconds.append(process_time() - start)
        steps_of = {width: 1e6 * min(seconds) / each for width, seconds in took.items()}
        alone = steps_of.pop(0) / 2
        told = ", ".join(f"{width}: {step:.0f}" for width, step in steps_of.items())
        print(f"{name}, µs of a step by width: {told}; {line(steps_of, alone)}; now {cost('cpu', name)}")


def line(steps_of: Mapping[int, float], alone: float) -> Cost:
    """Return the line that is nearest, relative to what was measured, up to where a fit costs least.

    Wider stacks have left the cache.
    """
    import numpy as np

    last = min(steps_of, key=lambda width: steps_of[width] / width)
    widths, took = (
        np.array(own) for own in zip(*((w, t) for w, t in steps_of.items() if w <= last), strict=True)
    )
    (fixed, each), *_ = np.linalg.lstsq(
        np.stack([1 / took, widths / took], 1), np.ones(len(took)), rcond=None
    )
    return Cost(round(fixed), round(each), round(alone), last)


def stacked(fits: Sequence[Member], model: Model, most: int = 0) -> None:
    """Train neighbours with the same techniques together, as many at a time as pay."""
    from studylib.trainers import stacked as trainer

    most = most or cost("cpu", model.name).most
    for _, some in groupby(fits, lambda one: [own.name for own in one.regularizers]):
        same = [*some]
        parts = -(-len(same) // most)
        for begin, end in pairwise(len(same) * part // parts for part in range(parts + 1)):
            trainer.train(same[begin:end], model)


def one_by_one(fits: Sequence[Member], model: Model) -> None:
    """Train each with the loop over one network."""
    from studylib.trainers import gradient

    for one in fits:
        gradient.train(one.split, model, one.regularizers, one.training, one.seed)


def _members(dataset: str, arms: Sequence[Arm], seeds: int) -> list[Member]:
    """Return fits, arm by arm."""
    from studylib.trainers.base import Training
    from studylib.trainers.stacked import Member

    training = Training(epochs=EPOCHS, batch_size=BATCH, learning_rate=alone.RATE)
    splits = [_rows(dataset, seed) for seed in range(seeds)]
    return [Member(splits[seed], arm, training, seed) for arm, seed in product(arms, range(seeds))]


def _rows(dataset: str, seed: int = 0) -> Split:
    from studylib import datasets

    settings = {"digits": {"train": 1500, "validation": 100}, "docstrings": {"train": 800, "validation": 400}}
    return datasets.CATALOGUE.make(dataset, settings[dataset]).split(seed)


def _mlp() -> Model:
    from studylib import models

    return models.CATALOGUE.make("mlp", {"hidden": list(SIZES[1:-1])})


def steps(split: Split) -> int:
    """Return the steps of one epoch."""
    return -(-len(split.train) // BATCH)

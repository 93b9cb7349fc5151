"""Fits stacked on a GPU: beside one by one on the same GPU, and beside stacks on its processor.

400 digits MLPs, 64-128-128-10 at batch 64, are ten rates of dropout and ten strengths of weight decay, each
with 20 seeds: two stacks. Fashion-MNIST is small_cnn on 55 000 rows, five rates and five strengths, five
seeds, 20 epochs: two stacks, trained whole. One by one is the loop over one network, of some of the fits; a
core of the processor trains some in stacks, and two cores are taken to be twice as fast. All times are of
the clock on the wall, from the rows on the disk of the process to the last weights, and end when the GPU has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks._asked import FASHION, MANY_DIGITS, SAME_GPU, TWO_CORES
from benchmarks._figures import figure, gpu, one_thread, told

if TYPE_CHECKING:
    from studylib.datasets.base import Dataset
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.speeds import Figure
    from studylib.trainers.base import Training
    from studylib.trainers.stacked import Member

    Stack = Sequence[Member]

ROUNDS = 3
UNIT = "fits/min"
TWICE = "Two cores are twice one core of the GPU's machine, which trains twenty of the fits in stacks of ten."
PROFILED = 200  # steps whose kernels are counted


def main() -> list[Figure]:
    """Print fits per minute of each, and the share of the time in kernels; return the figures."""
    one_thread()
    import torch

    if not torch.cuda.is_available():
        print("there is no CUDA device here: these rows stay as they are")
        return []
    return [*_digits(), *_fashion()]


def _digits() -> list[Figure]:
    from studylib import datasets, models
    from studylib.trainers.base import Training

    model = models.CATALOGUE.make("mlp", {"hidden": [128, 128]})
    dataset = datasets.CATALOGUE.make("digits", {"train": 1500, "validation": 100})
    stacks = _stacks(dataset, Training(epochs=30, batch_size=64, learning_rate=1e-3), arms=10, seeds=20)
    measured: tuple[list[float], ...] = ([], [], [])
    some = [stack[::67] for stack in stacks]
    for round_ in range(ROUNDS + 1):  # the first warms up and does not count
        speeds = [
            _speed(partial(_stacked, stacks, model, "cuda"), sum(map(len, stacks))),
            _speed(partial(_one_by_one, some, model), sum(map(len, some))),
            2 * _speed(partial(_stacked, [stack[:10] for stack in stacks], model, "cpu"), 20),
        ]
        if round_:
            for kept, speed in zip(measured, speeds, strict=True):
                kept.append(speed)
    _tell_kernels(MANY_DIGITS, stacks[0], model)
    ours, alone, cores = measured
    return [
        _figure(MANY_DIGITS, SAME_GPU, ours, alone, "One by one is six of the fits."),
        _figure(MANY_DIGITS, TWO_CORES, ours, cores, TWICE),
    ]


def _fashion() -> list[Figure]:
    from studylib import datasets, models
    from studylib.trainers.base import Training

    model = models.CATALOGUE.make("small_cnn", {})
    dataset = datasets.CATALOGUE.make("fashion_mnist", {"train": 55_000, "validation": 5_000})
    training = Training(epochs=20, batch_size=64, learning_rate=1e-3)
    stacks = _stacks(dataset, training, arms=5, seeds=5)
    share = _tell_kernels(FASHION, _shorter(stacks[0], 1), model)
    short = [_shorter(stack[:1], 1) for stack in stacks]
    alone = _speed(partial(_one_by_one, short, model), len(short) / training.epochs)
    start = perf_counter()
    _stacked(stacks, model, "cuda")
    seconds = perf_counter() - start
    note = (
        f"All {sum(map(len, stacks))} fits: {seconds:.0f} s, {share:.0%} of the time in kernels."
        " One by one is one epoch of two fits."
    )
    print(f"{FASHION}: {note}")
    return [_figure(FASHION, SAME_GPU, [sum(map(len, stacks)) / seconds * 60], [alone], note)]


def _figure(work: str, against: str, ours: list[float], theirs: list[float], note: str = "") -> Figure:
    told(work, against, UNIT, ours, theirs)
    return figure(work, against, UNIT, ours, theirs, machine=gpu(), note=note)


def _stacks(dataset: Dataset, training: Training, arms: int, seeds: int) -> list[Stack]:
    """Return fits with dropout, and fits with weight decay, each of some strengths and seeds."""
    from studylib.regularizers import make
    from studylib.trainers.stacked import Member

    splits = [dataset.split(seed) for seed in range(seeds)]
    strengths = [(place + 1) / (2 * arms + 2) for place in range(arms)]
    families: list[list[tuple[Regularizer, ...]]] = [
        [(make("dropout", rate=strength),) for strength in strengths],
        [(make("weight_decay", strength=strength),) for strength in strengths],
    ]
    return [
        [Member(splits[seed], arm, training, seed) for arm, seed in product(family, range(seeds))]
        for family in families
    ]


def _shorter(stack: Stack, epochs: int) -> Stack:
    return [replace(one, training=one.training.model_copy(update={"epochs": epochs})) for one in stack]


def _stacked(stacks: Sequence[Stack], model: Model, device: str) -> None:
    from studylib.trainers import stacked

    for stack in stacks:
        stacked.train(stack, model, device)


def _one_by_one(stacks: Sequence[Stack], model: Model) -> None:
    from studylib.trainers import gradient

    for one in (one for stack in stacks for one in stack):
        gradient.train(one.split, model, one.regularizers, one.training, one.seed, "cuda")


def _speed(run: Callable[[], None], fits: float) -> float:
    """Return fits per minute of the clock."""
    import torch

    torch.cuda.synchronize()
    start = perf_counter()
    run()
    torch.cuda.synchronize()
    return fits / (perf_counter() - start) * 60


def _tell_kernels(work: str, stack: Stack, model: Model) -> float:
    """Print and return the share of the time of a training in which the GPU computes."""
    from torch.profiler import ProfilerActivity, profile

    from studylib.trainers import stacked

    epochs = max(1, PROFILED * stack[0].training.batch_size // len(stack[0].split.train))
    short = _shorter(stack, epochs)
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        start = perf_counter()
        stacked.train(short, model, "cuda")
        seconds = perf_counter() - start
    busy: float = sum(event.self_device_time_total for event in seen.key_averages()) / 1e6
    print(f"{work}: {busy / seconds:.0%} of the time in kernels, for {epochs} epochs with their beginning")
    return busy / seconds

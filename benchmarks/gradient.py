"""Optimizer steps per second on the digits MLP (64-128-128-10, batch 64, Adam family), one thread.

All train on the same rows for the same number of epochs. Ours also measures the loss on train and
validation rows after each epoch; the peers measure nothing there. The rounds are interleaved, so that a
machine that slows down slows everyone down.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studylib.datasets.base import Split
    from studylib.models.base import Model

Contestant = Callable[[], object]

EPOCHS, BATCH, ROUNDS, RATE = 20, 64, 7, 1e-3


def main() -> None:
    """Print steps per second of each, and how many times a peer's ours is."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
    from studylib import datasets, models

    split = datasets.CATALOGUE.make("digits", {"train": 1500, "validation": 100}).split(0)
    model = models.CATALOGUE.make("mlp", {"hidden": [128, 128]})
    steps = EPOCHS * -(-len(split.train) // BATCH)
    contestants: dict[str, Contestant] = {
        "studylib": _ours(split, model),
        "skorch": skorch(split, model),
        "DataLoader": data_loader(split, model),
        "MLPClassifier": scikit_learn(split),
    }
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for round_ in range(ROUNDS + 1):  # the first round warms up and does not count
        for name, train in contestants.items():
            start = perf_counter()
            train()
            if round_:
                speeds[name].append(steps / (perf_counter() - start))
    for name, values in speeds.items():
        ratio = median(ours / theirs for ours, theirs in zip(speeds["studylib"], values, strict=True))
        spread = f"{min(values):.0f} to {max(values):.0f}"
        print(f"{name:<14} {median(values):>6.0f} steps/s ({spread}); studylib is {ratio:.2f} times it")


def _ours(split: Split, model: Model) -> Contestant:
    from studylib.trainers import gradient
    from studylib.trainers.base import Training

    training = Training(epochs=EPOCHS, batch_size=BATCH, learning_rate=RATE)
    return lambda: gradient.train(split, model, (), training, seed=0)


def skorch(split: Split, model: Model) -> Contestant:
    """Return skorch's loop."""
    import torch
    from skorch import NeuralNetClassifier

    def train() -> None:
        NeuralNetClassifier(
            model.build(split.inputs, split.outputs),
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.AdamW,
            lr=RATE,
            batch_size=BATCH,
            max_epochs=EPOCHS,
            train_split=None,
            iterator_train__shuffle=True,
            verbose=0,
        ).fit(split.train.x, split.train.y)

    return train


def data_loader(split: Split, model: Model) -> Contestant:
    """Return a loop over a DataLoader, as a tutorial has it."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    x, y = torch.from_numpy(split.train.x), torch.from_numpy(split.train.y)

    def train() -> None:
        module = model.build(split.inputs, split.outputs)
        optimizer = torch.optim.AdamW(module.parameters(), lr=RATE)
        loader = DataLoader(TensorDataset(x, y), batch_size=BATCH, shuffle=True)
        for _ in range(EPOCHS):
            for batch, target in loader:
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(module(batch), target).backward()
                optimizer.step()

    return train


def scikit_learn(split: Split) -> Contestant:
    """Return scikit-learn's own network."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    x = split.train.x.reshape(len(split.train), -1)

    def train() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it has not converged, as is meant
            MLPClassifier(
                (128, 128),
                alpha=0.0,
                batch_size=BATCH,
                learning_rate_init=RATE,
                max_iter=EPOCHS,
                tol=0.0,
                n_iter_no_change=EPOCHS,
            ).fit(x, split.train.y)

    return train

"""Images per second of small_cnn on 28×28 pixels, one thread, beside a loop over a DataLoader.

The rows are Fashion-MNIST where its files are at hand, else noise of that shape, which takes as long. The
peer is what a tutorial writes: relu after each convolution, then pooling, a TensorDataset, AdamW. Both train
on the same rows for as many epochs; ours also measures the loss on train and validation rows after each. Then
the same with images that are turned and moved: the peer's Dataset does with Pillow what torchvision does.
Rounds are interleaved, seconds are of the processor.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

from benchmarks._asked import DATA_LOADER, IMAGES
from benchmarks._figures import Contestant, one_thread, raced
from studylib.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn
    from torch.utils.data import Dataset

    from studylib.datasets.base import Split
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer
    from studylib.speeds import Figure

UNIT, DISTURBED = "images/s", f"{IMAGES}, turned and moved"
ROUNDS, EPOCHS, BATCH, RATE = 9, 1, 64, 1e-3
ROWS, VALIDATION, SIDE, CLASSES = 6000, 100, 28, 10
PIXELS, DEGREES = 2, 10.0


def main() -> list[Figure]:
    """Print images per second of both, and how many times the peer's ours is; return the figure."""
    one_thread()
    from torch.utils.data import TensorDataset

    from studylib.regularizers import make

    moves = (make("rotate", degrees=DEGREES), make("shift", pixels=PIXELS))
    plain = TensorDataset(*_tensors(_rows()))
    return [*_raced(IMAGES, (), plain), *_raced(DISTURBED, moves, _turned_and_moved(_rows()))]


def _raced(work: str, regularizers: Sequence[Regularizer], rows: Dataset[Any]) -> list[Figure]:
    images = EPOCHS * ROWS
    contestants = {
        "one fit": Contestant(partial(_ours, regularizers), images),
        DATA_LOADER: Contestant(partial(_data_loader, rows), images),
    }
    return raced(work, UNIT, contestants, ROUNDS)


def _ours(regularizers: Sequence[Regularizer]) -> None:
    from studylib.trainers import gradient
    from studylib.trainers.base import Training

    training = Training(epochs=EPOCHS, batch_size=BATCH, learning_rate=RATE)
    gradient.train(_rows(), _model(), regularizers, training, seed=0)


def _data_loader(rows: Dataset[Any]) -> None:
    """Train as a tutorial has it."""
    import torch
    from torch.utils.data import DataLoader

    network = _network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE)
    loader = DataLoader(rows, batch_size=BATCH, shuffle=True)
    for _ in range(EPOCHS):
        for batch, target in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(batch), target).backward()
            optimizer.step()


def _network() -> nn.Module:
    """Return the same layers as those of small_cnn by default."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (SIDE // 4) ** 2, 64),
        nn.ReLU(),
        nn.Linear(64, CLASSES),
    )


def _turned_and_moved(split: Split) -> Dataset[Any]:
    """Return rows of which each is turned and moved when it is asked for, as torchvision does it."""
    import numpy as np
    import torch
    from PIL import Image, ImageOps
    from torch.utils.data import Dataset

    x, low = split.train.x, float(split.train.x.min())
    scale = (float(x.max()) - low) / 255
    pictures = [Image.fromarray(one[0]) for one in ((x - low) / scale).round().astype("uint8")]
    labels = split.train.y

    class Pictures(Dataset[Any]):
        def __len__(self) -> int:
            return len(pictures)

        def __getitem__(self, row: int) -> Any:
            angle = torch.empty(1).uniform_(-DEGREES, DEGREES).item()
            left, top = torch.randint(0, 2 * PIXELS + 1, (2,)).tolist()
            picture = pictures[row].rotate(angle, Image.Resampling.BILINEAR)
            picture = ImageOps.expand(picture, PIXELS).crop((left, top, left + SIDE, top + SIDE))
            grey = torch.from_numpy(np.array(picture)).unsqueeze(0).float()
            return grey.mul_(scale).add_(low), torch.tensor(labels[row])

    return Pictures()


def _tensors(split: Split) -> tuple[Tensor, Tensor]:
    import torch

    return torch.from_numpy(split.train.x), torch.from_numpy(split.train.y)


@cache
def _model() -> Model:
    from studylib import models

    return models.CATALOGUE.make("small_cnn", {})


@cache
def _rows() -> Split:
    """Return Fashion-MNIST; without its files, noise of that shape."""
    from studylib import datasets

    try:
        return datasets.CATALOGUE.make("fashion_mnist", {"train": ROWS, "validation": VALIDATION}).split(0)
    except ParameterError:
        return _noise()


def _noise() -> Split:
    import numpy as np

    from studylib.datasets.base import Examples, Split

    drawn = np.random.default_rng(0)
    train, validation = (
        Examples(drawn.random((rows, 1, SIDE, SIDE), np.float32), drawn.integers(0, CLASSES, rows))
        for rows in (ROWS, VALIDATION)
    )
    return Split(train, validation, validation, (1, SIDE, SIDE), CLASSES)

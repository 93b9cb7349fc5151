"""ResNet-preact-20 on Fashion-MNIST, with cutout, random erasing and mixup: a public implementation."""

from __future__ import annotations

from studylib.claims.base import Claim, Source

ROWS = (  # what, arm here, test error in percent, epochs
    ("no augmentation but crops and flips", "none", 5.04, 200),
    ("cutout 16", "cutout", 4.49, 200),
    ("random erasing", "random erasing", 4.61, 200),
    ("mixup", "mixup", 4.92, 200),
    ("mixup, twice as long", "mixup", 4.64, 400),
)


def _level(what: str, arm: str, error: float, epochs: int) -> Claim:
    return Claim(
        what=f"{what}: test accuracy",
        study="vision",
        dataset="fashion_mnist",
        settings={"train": 50_000},
        arm=arm,
        metric="test_accuracy",
        printed=f"{error} % wrong",
        value=1 - error / 100,
        rounding=0.00005,
        test_rows=10_000,
        protocol=f"ResNet-preact-20, {epochs} epochs, cosine annealing, crops and flips; median of 3 runs",
        incomparable="a network of twenty layers and hundreds of epochs on a GPU; ours has two convolutions",
    )


SOURCE = Source(
    "hysts/pytorch_image_classification",
    "PyTorch image classification: results on FashionMNIST",
    "https://github.com/hysts/pytorch_image_classification",
    tuple(_level(*row) for row in ROWS),
)

"""The README of Fashion-MNIST: submissions that nobody has verified, so ``checked`` is False for all."""

from __future__ import annotations

from functools import partial

from studylib.claims.base import Claim, Source

OTHER = "no arm here is this network"
_claim = partial(
    Claim,
    study="vision",
    dataset="fashion_mnist",
    metric="test_accuracy",
    test_rows=10_000,
    protocol="60 000 images to train on, the official test of 10 000; as submitted, unverified",
    checked=False,
)


def _other(what: str, printed: str) -> Claim:
    return _claim(
        what=what, arm="", printed=printed, value=float(printed), rounding=0.0005, incomparable=OTHER
    )


SOURCE = Source(
    "Fashion-MNIST, README",
    "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms",
    "https://doi.org/10.48550/arXiv.1708.07747",
    (
        _claim(
            what="two convolutions, with or without pooling and preprocessing",
            settings={"train": 50_000},
            arm="none",
            printed=".876 to .925",
            value=0.876,
            upto=0.925,
            rounding=0.0005,
            differs="ours has 50 000 images to train on, as 10 000 of the 60 000 are held out for validation",
        ),
        _claim(
            what="two convolutions with batch normalisation",
            settings={"train": 50_000},
            arm="batch norm",
            printed=".934",
            value=0.934,
            rounding=0.0005,
            differs="ours has 50 000 images to train on, as 10 000 of the 60 000 are held out for validation",
        ),
        _other("MLP of 256, 128 and 100 units", ".8833"),
        _other("three convolutions and two dense layers", ".907"),
        _other("three convolutions and two dense layers, dropout", ".926"),
        _other("WRN-28-10", ".959"),
        _other("WRN-28-10 with random erasing", ".963"),
        _other("people, of the crowd", ".835"),
    ),
)

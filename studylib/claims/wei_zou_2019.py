"""Wei and Zou (2019): easy data augmentation, on average over five datasets, of which TREC is one."""

from __future__ import annotations

from functools import partial

from studylib.claims.base import Claim, Source

SIZES = ((500, 78.6, 80.7), (2000, 85.6, 86.4), (5000, 87.7, 88.3), (None, 88.3, 88.8))
WHY = (
    "an average over five datasets, and ours is one of them; their code lets augmented siblings of a "
    "sentence into validation, and updates the plain network a tenth as often, which ours does not"
)
_claim = partial(
    Claim,
    study="text",
    dataset="trec",
    metric="test_accuracy",
    protocol="a convolutional network on five sets of sentences, mean accuracy over them, one run each",
    incomparable=WHY,
)


def _level(size: int | None, percent: float, arm: str) -> Claim:
    return _claim(
        what=f"N = {size or 'full'}, {'EDA' if arm == 'eda' else 'without'}",
        settings={"train": size, "duplicates": "drop"},
        arm=arm,
        printed=f"{percent}",
        value=percent / 100,
        rounding=0.0005,
    )


def _gain(size: int | None, plain: float, augmented: float) -> Claim:
    return _claim(
        what=f"N = {size or 'full'}, gain by EDA",
        settings={"train": size, "duplicates": "drop"},
        arm="eda",
        against="none",
        printed=f"+{augmented - plain:.1f} points",
        value=(augmented - plain) / 100,
        rounding=0.001,
    )


SOURCE = Source(
    "Wei and Zou (2019)",
    "EDA: easy data augmentation techniques for boosting performance on text classification tasks",
    "https://doi.org/10.18653/v1/D19-1670",
    tuple(
        claim
        for size, plain, augmented in SIZES
        for claim in (
            _level(size, plain, "none"),
            _level(size, augmented, "eda"),
            _gain(size, plain, augmented),
        )
    ),
)

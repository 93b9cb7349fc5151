"""What every trainer takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, final

from pydantic import Field, ValidationInfo, field_validator

from studylib.components import Component


@final
class Training(Component):
    """How the weights are found.

    ``adamw`` and ``sgd`` are stochastic gradient descent; ``exact`` solves a linear model to machine
    precision, and then epochs, batch size and learning rate have no meaning. The learning rate is the same in
    all steps, or falls to 0 at the end of the last epoch along a line or half a cosine. ``momentum`` is that
    of ``sgd``, ``negatives`` are drawn beside each interaction of a ranking, ``folds`` cross-validate an
    ``exact`` linear model. An ``exact`` factorization solves rows and items by turns, ``epochs`` times; in a
    ranking an interaction then counts ``confidence`` times as much as a pair without one. ``bf16`` passes
    batches through a network with 8 significant bits, faster where processors have it; weights stay float32.
    """

    kind: ClassVar[str] = "training"

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 30
    batch_size: Annotated[int, Field(ge=1)] = 64
    optimizer: Literal["adamw", "sgd", "exact"] = "adamw"
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    learning_rate_schedule: Literal["constant", "linear", "cosine"] = "constant"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    negatives: Annotated[int, Field(ge=1)] = 1
    confidence: Annotated[float, Field(ge=1)] = 10.0
    folds: Annotated[int, Field(ge=2)] = 5
    precision: Literal["float32", "float64", "bf16"] = "float32"

    @field_validator("momentum")
    @classmethod
    def _of_sgd(cls, momentum: float, others: ValidationInfo) -> float:
        if momentum and others.data.get("optimizer") in {"adamw", "exact"}:
            raise ValueError(
                f"0 with the optimizer {others.data['optimizer']!r}, for momentum is that of 'sgd'"
            )
        return momentum


@final
@dataclass(frozen=True)
class Outcome:
    """What one training measured.

    Attributes:
        metrics: one number per metric, named ``<part>_<metric>`` with part train, validation or test.
        curves: lists of numbers: one per epoch, per bin, or per feature.
        score: what a strength is chosen by, on validation rows, lower is better: the loss without any
            penalty, or for a ranking −NDCG at 20.
        seconds_to_lowest: of training, until the validation loss was lowest; 0 without epochs. Clock time
            makes no two outcomes differ, and never gets into a record.
    """

    metrics: Mapping[str, float]
    score: float
    curves: Mapping[str, list[float]] = field(default_factory=dict)
    seconds_to_lowest: float = field(default=0.0, compare=False)

"""The few kinds of regularization: each says where it touches training, and does one job there.

A concrete regularizer is one file: a final frozen class, its formula, its source, an ``EXAMPLE``.
Methods are pure functions of tensors; their randomness comes from the ``noise`` that they are given.
Importing a file here must not import torch: parameters are checked without it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from studylib.components import Component

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studylib.seeds import Noise

Strength = Annotated[float, Field(ge=0, description="λ, how strong; 0 switches it off")]
Rate = Annotated[float, Field(ge=0, lt=1, description="probability that an element is disturbed")]
Layers = Annotated[str, Field(description="shell pattern over layer names; '*' is all of them")]


class Regularizer(Component):
    """One technique with its settings."""

    tasks: ClassVar[frozenset[str]] = frozenset({"classification", "regression", "ranking"})


class Layered(Regularizer):
    """A regularizer that covers the layers whose names match the shell pattern ``layers``."""

    layers: Layers = "*"

    def covers(self, layer: str) -> bool:
        """Tell whether the layer called ``layer`` (``hidden1``, ``output``, …) is covered."""
        return fnmatchcase(layer, self.layers)


class Penalty(Layered):
    """A non-negative cost on a weight tensor, added to the mean loss per example; zero at zero."""

    kind: ClassVar[str] = "penalty"
    smooth: ClassVar[bool]  # smooth: by its gradient; otherwise by its prox after each step

    @abstractmethod
    def value(self, w: Tensor) -> Tensor:
        """Return the cost of ``w``, any shape, as a scalar tensor in the units of the loss."""

    @abstractmethod
    def prox(self, w: Tensor, step: Tensor | float) -> Tensor:
        """Return argmin over z of Σ (z − w)²/(2·step) + value(z), elementwise in ``step``; shape of ``w``."""


class InteractionPenalty(Regularizer):
    """A cost on the embedding rows that a batch of interactions touches."""

    kind: ClassVar[str] = "penalty"
    tasks: ClassVar[frozenset[str]] = frozenset({"ranking"})

    @abstractmethod
    def value(self, *rows: Tensor) -> Tensor:
        """Return the mean cost per interaction of gathered embedding rows, each of shape (n, d)."""


class Decay(Layered):
    """A shrinkage of the weights themselves before each step, apart from the gradient."""

    kind: ClassVar[str] = "weight decay"

    @abstractmethod
    def factor(self, learning_rate: float) -> float:
        """Return the number that the covered weights are multiplied by before a step."""


class Constraint(Layered):
    """A set that the weights are projected onto after each step."""

    kind: ClassVar[str] = "constraint"

    @abstractmethod
    def project(self, w: Tensor) -> Tensor:
        """Return the nearest point of the set to ``w``, whose first axis is the output units."""


class Perturbation(Regularizer):
    """A disturbance of the training batch: of inputs, of targets, or of both."""

    kind: ClassVar[str] = "perturbation"
    inputs: ClassVar[frozenset[str]]  # of {"images", "text", "tables"}
    softens: ClassVar[bool] = False  # whether targets must be class probabilities, not class indices

    @abstractmethod
    def perturb(self, x: Tensor, target: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """Return the disturbed batch; shapes and dtypes stay.

        Args:
            x: images (n, channels, height, width), tables (n, features), or text (n, length) of word
                numbers where 0 is padding at the end and 1 the unknown word.
            target: class probabilities (n, classes) if ``softens``, else whatever the loss takes.
            noise: where all randomness comes from.
        """


class Rewiring(Layered):
    """A change of the model before training, made by putting a module into the model's open slots."""

    kind: ClassVar[str] = "rewiring"
    places: ClassVar[frozenset[str]]  # of {"input", "normalisation", "units", "maps", "embedding", "factors"}

    @abstractmethod
    def module(self, width: int, noise: Noise) -> nn.Module:
        """Return the module for a slot with ``width`` channels (axis after the batch, or last for text)."""


class Schedule(Regularizer):
    """A rule over the clock of a training, as pure functions of the history so far."""

    kind: ClassVar[str] = "schedule"

    @abstractmethod
    def best(self, losses: Sequence[float]) -> int:
        """Return the index of the epoch whose weights are to be kept."""

    @abstractmethod
    def stop(self, losses: Sequence[float]) -> bool:
        """Tell whether training ends after these validation losses (without penalty, one per epoch)."""

"""What happens to weights and gradients before and after a step."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from studylib.regularizers._kinds.common import Layered, Regularizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from studylib.seeds import Draws


class Decay(Layered):
    """A shrinkage of the weights themselves before each step, apart from the gradient."""

    kind: ClassVar[str] = "weight decay"

    @abstractmethod
    def factor(self, layer: str, learning_rate: float) -> float:
        """Return the number that the weights of ``layer`` are multiplied by before a step."""


class CoupledDecay(Layered):
    """A shrinkage that is part of the gradient, and passes through whatever the optimizer does to it."""

    kind: ClassVar[str] = "weight decay"

    @abstractmethod
    def share(self, layer: str) -> float:
        """Return λ of ``layer``: its gradient g becomes g + λ·w."""


class LayerRates(Layered):
    """Learning rates that differ from layer to layer."""

    kind: ClassVar[str] = "learning rates"
    alone: ClassVar[str] = "it treats the layers of one network apart"

    @abstractmethod
    def share(self, layer: str, layers: Sequence[str]) -> float:
        """Return what the learning rate of ``layer`` is multiplied by; ``layers`` go from input to output."""


class Constraint(Layered):
    """A set that the weights are projected onto after each step."""

    kind: ClassVar[str] = "constraint"
    turn: ClassVar[int]  # when it is its turn among several on one weight; two of one turn exclude each other

    @abstractmethod
    def project(self, w: Tensor) -> Tensor:
        """Return the nearest point of the set to ``w``, whose first axis is the output units."""


class GradientRule(Regularizer):
    """A change of the gradients of all weights before each step."""

    kind: ClassVar[str] = "gradient rule"
    draws: ClassVar[bool] = False  # whether it asks for noise

    @abstractmethod
    def apply(self, gradients: Sequence[Tensor], noise: Draws, step: Tensor | int) -> list[Tensor]:
        """Return the gradients to step along; shapes and dtypes stay.

        Args:
            gradients: one for each weight tensor.
            noise: where all randomness comes from.
            step: number of the step, 0 is the first.
        """

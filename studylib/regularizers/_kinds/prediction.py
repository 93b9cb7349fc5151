"""What is done with a trained model's outputs."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from studylib.regularizers._kinds.common import SUPERVISED, Regularizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


class Prediction(Regularizer):
    """What is done with a trained model's outputs; nothing in training."""

    kind: ClassVar[str] = "prediction"
    tasks: ClassVar[frozenset[str]] = SUPERVISED


class Calibration(Prediction):
    """A map of the outputs that is fitted to validation rows."""

    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})

    @abstractmethod
    def fitted(self, outputs: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the map, for scores (n, classes) of validation rows and their class numbers (n,)."""


class Sampling(Prediction):
    """Predictions made of several passes in which dropping goes on, and nothing else of training does.

    Classes and values are combined in two ways, and it is the target that says which, not how many outputs
    there are: a forecast has several values.
    """

    samples: Annotated[int, Field(ge=1, description="passes that are averaged")]

    @abstractmethod
    def combined(self, outputs: Tensor) -> Tensor:
        """Return scores (n, classes) for those of all passes (samples, n, classes)."""

    @abstractmethod
    def averaged(self, outputs: Tensor) -> Tensor:
        """Return values (n, k) for those of all passes (samples, n, k)."""

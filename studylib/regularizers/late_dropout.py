"""Late dropout. Source: Liu et al. (2023), https://arxiv.org/abs/2303.01500"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import StrengthSchedule

if TYPE_CHECKING:
    from collections.abc import Sequence


@final
class LateDropout(StrengthSchedule):
    r"""rateₑ = 0, then rate: no dropout in the first epochs, against overfitting at the end of training.

    It needs a technique to turn: name one, such as ``dropout``, in the same arm.

    Formula: p_e = 0 \text{ for } e < E, \quad p_e = p \text{ for } e \ge E

    Use: When dropout helps in the end but slows the first epochs down.

    Traps: With early stopping, training may end, or its best epoch lie, before dropout has begun, and the arm
    is then the baseline. The loss jumps up when dropout sets in, which patience has to outlast.
    """

    technique: Annotated[str, Field(description="shell pattern over the names of techniques of the arm")] = (
        "*dropout*"
    )
    epochs: Annotated[int, Field(ge=1, description="epochs without dropout, from the first")]

    def factor(
        self, epoch: int, epochs: int, train_loss: Sequence[float], validation_loss: Sequence[float]
    ) -> float:
        """Return 0, and 1 from ``epochs`` epochs on; the losses do not count."""
        return float(epoch >= self.epochs)


EXAMPLE = LateDropout(epochs=5)

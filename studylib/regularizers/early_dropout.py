"""Early dropout. Source: Liu et al. (2023), https://arxiv.org/abs/2303.01500"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, final

from pydantic import Field

from studylib.regularizers.base import StrengthSchedule

if TYPE_CHECKING:
    from collections.abc import Sequence


@final
class EarlyDropout(StrengthSchedule):
    r"""rateₑ = (1 − e/epochs)·rate, then 0: dropout in the first epochs only, against underfitting.

    It needs a technique to turn: name one, such as ``dropout``, in the same arm. ``linear`` lets the rate
    fall to 0 as the authors' recipe does, though once per epoch where theirs falls at every step;
    ``constant`` keeps it whole until it is switched off.

    Formula: p_e = p\,(1 - e/E) \text{ (linear) or } p_e = p \text{ (constant) for } e < E, \quad p_e = 0 \text{ for } e \ge E

    Use: When the train loss is still high at the end of a training without dropout: early dropout aligns
    the gradients of small batches, and leaves the later epochs free to fit.

    Traps: It is no cure for overfitting, for which it lets go too soon. The authors take a sixth of all
    epochs (50 of 300), with small networks that underfit ImageNet.
    """  # noqa: E501  a formula is one line

    technique: Annotated[str, Field(description="shell pattern over the names of techniques of the arm")] = (
        "*dropout*"
    )
    epochs: Annotated[int, Field(ge=1, description="epochs with dropout, from the first")]
    shape: Annotated[
        Literal["linear", "constant"], Field(description="how the rate behaves until it is 0")
    ] = "linear"

    def factor(
        self, epoch: int, epochs: int, train_loss: Sequence[float], validation_loss: Sequence[float]
    ) -> float:
        """Return what the rate is multiplied by, at most 1; the losses do not count."""
        if epoch >= self.epochs:
            return 0.0
        return 1.0 if self.shape == "constant" else 1 - epoch / self.epochs


EXAMPLE = EarlyDropout(epochs=5)

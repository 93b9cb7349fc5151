"""Early stopping. Source: Prechelt (1998), https://doi.org/10.1007/3-540-49430-8_3"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Annotated, final

from pydantic import Field

from studylib.regularizers.base import Stopping

if TYPE_CHECKING:
    from collections.abc import Sequence


@final
class EarlyStopping(Stopping):
    r"""Stop after patience epochs without a better validation loss, and keep the weights of the best epoch.

    Better means lower than the best so far by more than ``min_delta``; a tie keeps the earlier epoch, and a
    loss that is not a number is never better. The loss is the plain one, without penalties.

    Formula: \hat e = \operatorname{argmin}_{e} L^{\text{validation}}_e, \quad \text{stop at the first } e \text{ with } e - \hat e \ge \text{patience}

    Use: Whenever a training could go on after the validation loss has turned; it also saves the epochs that
    would be thrown away.

    Traps: The validation loss of the epoch kept is the least of many, and so too low: only test rows say how
    good it is. A validation loss with the penalty in it, as some libraries monitor, stops for the wrong
    reason. Where the loss falls again after a hump, a short patience misses it.
    """  # noqa: E501  a formula is one line

    patience: Annotated[int, Field(ge=1, description="epochs to wait for a better loss")]
    min_delta: Annotated[float, Field(ge=0, description="gain that counts as better, in loss units")] = 0.0

    def best(self, losses: Sequence[float]) -> int:
        """Return the index of the epoch to keep; 0 if no loss is a finite number."""
        best, lowest = 0, inf
        for epoch, loss in enumerate(losses):
            if loss < lowest - self.min_delta:
                best, lowest = epoch, loss
        return best

    def stop(self, losses: Sequence[float]) -> bool:
        """Tell whether the last ``patience`` epochs brought nothing better."""
        return len(losses) - 1 - self.best(losses) >= self.patience


EXAMPLE = EarlyStopping(patience=5)

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
    """Stop after patience epochs without a better validation loss, and keep the weights of the best epoch.

    Better means lower than the best so far by more than ``min_delta``; a tie keeps the earlier epoch, and a
    loss that is not a number is never better. The loss is the plain one, without penalties.
    """

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

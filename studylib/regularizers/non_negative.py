"""Non-negative weights. Source: Chorowski and Zurada (2015), https://doi.org/10.1109/TNNLS.2014.2310059

Projection after each step: Lin (2007), https://doi.org/10.1162/neco.2007.19.10.2756
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from studylib.regularizers.base import Constraint

if TYPE_CHECKING:
    from torch import Tensor


@final
class NonNegative(Constraint):
    r"""w ≥ 0, held after each step by setting what is negative to zero.

    Biases are free, as they are everywhere here. With a monotone activation, a network all of whose weights
    are non-negative can only rise in every input.

    Formula: w \leftarrow \max(w, 0)

    Use: It is known that more of an input never means less of the output; or weights are to be read as parts
    that add up.

    Traps: Half of the usual random initial weights are negative, and are zero after the first step. Inputs
    that speak against something cannot: to count the other way round, they have to come negated as well.
    """

    turn: ClassVar[int] = 0

    def project(self, w: Tensor) -> Tensor:
        """Return max(w, 0)."""
        return w.clamp(min=0)


EXAMPLE = NonNegative()

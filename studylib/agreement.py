"""How well a fit agrees with itself when it is computed again on the same device, beside other fits.

On a processor a batched product of matrices gives each fit of a stack what it gives it alone: the numbers are
equal to the last bit. On a GPU the kernel of a product is chosen by its shape, and so by how many fits are in
the stack; each adds the same numbers in another order. What training makes of that was measured between kinds
of processors, who differ in the same way (see `studylib.checks.tolerances`), and is allowed for here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, final


@final
class Agreement(NamedTuple):
    """How far a number may be off: a ``share`` (an accuracy), and any ``other`` (a loss, a norm).

    Absolute up to 1, and relative beyond; None is to the last bit.
    """

    share: float | None
    other: float | None

    @property
    def words(self) -> str:
        """How far off numbers are: ``equal``, or ``within 0.03 in a share and 0.1 in all else``."""
        if self.other is None:
            return "equal"
        return f"within {self.share:g} in a share and {self.other:g} in all else"


EQUAL = Agreement(None, None)
TRAINED = Agreement(0.03, 0.1)
OF: Mapping[str, Agreement] = {"cpu": EQUAL, "cuda": TRAINED}
FACT = "computed again"  # the name under which a record states it, where it is not "equal"


def stated(device: str) -> dict[str, str]:
    """Return what a record of fits on a device states beside its versions; nothing where bits are equal."""
    agreed = OF[device]
    return {} if agreed == EQUAL else {FACT: agreed.words}

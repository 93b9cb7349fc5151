"""Which fits are trained as one network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studylib.models.base import Model
    from studylib.regularizers.base import Regularizer


def why_alone(model: Model, regularizers: Iterable[Regularizer], device: str) -> str:
    """Return why a fit is trained by itself; empty if it is one of a stack, be it the only one.

    It depends on nothing but the fit: what comes out for one must not depend on the others.
    """
    if device not in model.stacked:
        return f"{model.name} gains nothing from it on {device}"
    return next((f"{one.name}: {one.alone}" for one in regularizers if one.alone), "")

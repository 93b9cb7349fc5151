"""What all kinds share: settings that mean the same everywhere, layers by name, how strong one is."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field

from studylib.components import Component

if TYPE_CHECKING:
    from torch import Tensor

Strength = Annotated[float, Field(ge=0, description="λ, how strong; 0 switches it off")]
Rate = Annotated[float, Field(ge=0, lt=1, description="probability that an element is disturbed")]
Layers = Annotated[str, Field(description="shell pattern over layer names; '*' is all of them")]
ByLayer = Annotated[
    Mapping[str, Strength],
    Field(
        description="patterns of layers with a strength of their own, instead of strength; the first counts"
    ),
]

SUPERVISED = frozenset({"classification", "regression", "forecasting"})
ALL_TASKS = SUPERVISED | {"ranking", "rating"}
SECTIONS = ("Formula", "Use", "Traps")
DIALS = ("strength", "rate", "probability", "std")  # settings that a schedule may turn


class Regularizer(Component):
    """One technique with its settings.

    Attributes:
        tasks: kinds of problems that it has a meaning for.
        pairs: whether it needs another row of the batch beside each.
        counts: whether it asks how many weights a layer has.
        elementwise: whether it treats each number by itself, so that with strengths of shape (replicas, 1, …)
            it treats those of several fits at once.
        alone: why arms with it are trained fit by fit, and not several at once; empty if they need not be.
        attribution: what the licence of what it reads asks to be said; mostly it reads nothing.

    The docstring of a concrete one has, beside its first sentence, the paragraphs ``Formula:`` (in LaTeX),
    ``Use:`` (when it is worth a try) and ``Traps:``; the catalogue shows them.
    """

    tasks: ClassVar[frozenset[str]] = ALL_TASKS
    pairs: ClassVar[bool] = False
    counts: ClassVar[bool] = False
    elementwise: ClassVar[bool] = False
    alone: ClassVar[str] = ""
    attribution: ClassVar[str] = ""

    @classmethod
    def sections(cls) -> dict[str, str]:
        """Return the paragraphs of the docstring that begin with a name and a colon, by that name."""
        paragraphs = [" ".join(one.split()) for one in (cls.__doc__ or "").split("\n\n")]
        named = (one.partition(": ") for one in paragraphs)
        return {name: text for name, _, text in named if name in SECTIONS}

    @classmethod
    def dial(cls) -> str:
        """Return the name of the setting that says how strong it is; empty if there is none."""
        return next((name for name in DIALS if name in cls.model_fields), "")

    def turned(self, factor: Tensor | float) -> Self:
        """Return it with ``factor`` times the strength, without checking the range again."""
        dial = self.dial()
        return self.model_copy(update={dial: factor * getattr(self, dial)})


class Layered(Regularizer):
    """A regularizer that covers the layers whose names match the shell pattern ``layers``."""

    layers: Layers = "*"

    def covers(self, layer: str) -> bool:
        """Tell whether the layer called ``layer`` (``hidden1``, ``output``, …) is covered."""
        return fnmatchcase(layer, self.layers)


def strength_of(layer: str, by_layer: Mapping[str, float], strength: float) -> float:
    """Return the strength of the first pattern of ``by_layer`` that matches ``layer``, else ``strength``."""
    return next((own for pattern, own in by_layer.items() if fnmatchcase(layer, pattern)), strength)

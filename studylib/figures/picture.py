"""What a drawing is: a vector image and the same finding in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class Picture:
    """An image for those who see it, and its text for those who do not.

    Attributes:
        svg: one ``<svg>`` element; the same numbers give the same text.
        alt: what it shows, in sentences, with the numbers where they are few.
    """

    svg: str
    alt: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        return {"image/svg+xml": self.svg, "text/plain": self.alt}

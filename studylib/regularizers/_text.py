"""What the numbers of words mean that every dataset of text agrees on, and how many words EDA changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

if TYPE_CHECKING:
    from torch import Tensor

PADDING = 0  # at the end of a sentence only
UNKNOWN = 1

Share = Annotated[float, Field(ge=0, le=1, description="α, changes per word; 0 switches it off")]


def changes(x: Tensor, share: float) -> Tensor:
    """Return EDA's number of changes of each sentence of ``x`` (n, length): max(1, round(share·words))."""
    return (share * (x != PADDING).sum(dim=1).double()).round().clamp(min=1)


def most_changes(x: Tensor, share: float) -> int:
    """Return the number of changes of a sentence that fills the width of ``x`` (n, length)."""
    return max(1, round(share * x.shape[1]))


def a_synonym(own: Tensor, draw: Tensor) -> Tensor:
    """Return one of the synonyms ``own`` (…, most), by ``draw`` (…) from U(0, 1); 0 where there is none."""
    place = (draw * (own != PADDING).sum(dim=-1)).long()
    return own.gather(-1, place[..., None])[..., 0]

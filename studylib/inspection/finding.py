"""Something about data that is likely to mislead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Finding:
    """Something that was found.

    Attributes:
        what: its kind in a word or two, such as ``leakage?``.
        text: what was found, and where.
        advice: what to type, or to think about; may be empty.
    """

    what: str
    text: str
    advice: str = ""


def left_out(*names: str) -> str:
    """Return what to type so that columns are not predicted from."""
    return f"--set 'dataset.leave_out=[{', '.join(names)}]'"

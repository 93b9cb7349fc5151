"""What the numbers of words mean that every dataset of text agrees on."""

from __future__ import annotations

PADDING = 0  # at the end of a sentence only
UNKNOWN = 1

"""The day on which a page was made, where that is a property of its inputs, or something was measured.

A clock would make two pages of the same inputs differ, so a date is shown only where the one who makes them
says which. Source: https://reproducible-builds.org/specs/source-date-epoch/
"""

from __future__ import annotations

import os
from datetime import UTC, datetime

from studylib.errors import ParameterError

VARIABLE = "SOURCE_DATE_EPOCH"


def made() -> str:
    """Return the day that ``SOURCE_DATE_EPOCH`` names, in UTC, such as ``2026-11-26``; empty without it.

    Raises:
        ParameterError: it is no whole number of seconds since 1970.
    """
    given = os.environ.get(VARIABLE, "")
    try:
        return datetime.fromtimestamp(int(given), UTC).date().isoformat() if given else ""
    except (ValueError, OverflowError, OSError):
        raise ParameterError(
            f"{VARIABLE}: expected whole seconds since 1970-01-01, got {given!r}. Correct it, or unset it."
        ) from None


def today() -> str:
    """Return the day that ``SOURCE_DATE_EPOCH`` names, and without it that of the clock, in UTC."""
    return made() or datetime.now(UTC).date().isoformat()

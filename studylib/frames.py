"""Tables of pandas whose texts may be any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def any_text() -> Iterator[None]:
    """Let tables that are made here hold every text that Python has: Arrow refuses half a surrogate pair.

    It serves as a decorator of what makes a table, too.
    """
    import pandas as pd

    with pd.option_context("mode.string_storage", "python"):
        yield

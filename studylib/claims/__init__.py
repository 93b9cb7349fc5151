"""Numbers that others have published on our datasets: a file for each source, and the folder is the list.

A file says where the numbers are from, by which protocol, and which arm of which run is set beside them.
Ours are read from records; how the two are judged is said in ``outcomes``.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from studylib.claims.base import Claim, Source
from studylib.claims.outcomes import Outcome, Verdict, outcome

__all__ = ["Claim", "Outcome", "Source", "Verdict", "outcome", "sources"]
_RULES = {"base", "outcomes"}


@cache
def sources() -> tuple[Source, ...]:
    """Return every source, in the order of their files' names."""
    names = sorted(module.name for module in iter_modules(__path__))
    return tuple(import_module(f"{__name__}.{name}").SOURCE for name in names if name not in _RULES)

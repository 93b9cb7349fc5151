"""What can go wrong, said to the person who can mend it.

StudyError            the work could not be done; the message says what to do      (exit 1)
├── ParameterError    the request is wrong; nothing was started                    (exit 2)
└── Divergence        one training left the finite numbers; the study goes on
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class StudyError(Exception):
    """Base of every error that a person can act on; ``str(error)`` is the whole message."""


class ParameterError(StudyError):
    """A parameter, name or file is wrong: said before any training starts."""


class Divergence(StudyError):
    """The loss or the weights stopped being finite during a training."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or nothing."""
    nearest = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def unknown(kind: str, name: str, known: Iterable[str], where: str = "") -> ParameterError:
    """Build the error for a ``name`` that is not among the ``known`` ones of its ``kind``."""
    names = sorted(known)
    place = f"{where}: " if where else ""
    return ParameterError(
        f"{place}unknown {kind} {name!r}.{did_you_mean(name, names)} Known: {', '.join(names)}."
    )

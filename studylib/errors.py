"""What can go wrong, said to the person who can mend it.

StudyError            the work could not be done; the message says what to do      (exit 1)
├── ParameterError    the request is wrong; nothing was started                    (exit 2)
└── Divergence        one training left the finite numbers; the study goes on
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import ParamSpec, TypeVar, final

P = ParamSpec("P")
T = TypeVar("T")


class StudyError(Exception):
    """Base of every error that a person can act on; ``str(error)`` is the whole message."""


class ParameterError(StudyError):
    """A parameter, name or file is wrong: said before any training starts."""


class Divergence(StudyError):
    """The loss or the weights stopped being finite during a training."""


@final
class Complaints:
    """What is wrong with the parts of one request, collected so that it is said at once."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def hear(self, check: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T | None:
        """Return what ``check`` returns; None if it complained."""
        try:
            return check(*arguments, **named)
        except ParameterError as error:
            self.lines += str(error).splitlines()
            return None

    def error(self) -> ParameterError:
        """Return all complaints as one error, a line for each."""
        return ParameterError("\n".join(self.lines))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name that was most likely meant, or nothing; ``lr`` is short for ``learning_rate``."""
    names = {one.lower(): one for one in known}
    initials = {"".join(word[:1] for word in one.split("_")): one for one in reversed(names) if "_" in one}
    close = [initials.get(name.lower()), *get_close_matches(name.lower(), names, n=1, cutoff=0.5)]
    return next((names[one] for one in close if one), "")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or nothing."""
    meant = nearest(name, known)
    return f" Did you mean {meant!r}?" if meant else ""


def unknown(kind: str, name: str, known: Iterable[str], where: str = "") -> ParameterError:
    """Build the error for a ``name`` that is not among the ``known`` ones of its ``kind``."""
    names = sorted(known)
    place = f"{where}: " if where else ""
    return ParameterError(
        f"{place}unknown {kind} {name!r}.{did_you_mean(name, names)} Known: {', '.join(names)}."
    )

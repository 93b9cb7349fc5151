"""What an arm tried before its settings were chosen, and how that is written down in little room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True)
class Trial:
    """Settings that an arm tried with one seed.

    Attributes:
        settings: what was open, by name such as ``l1.strength``; the same names in all trials of a fit.
        score: what the choice is by, on rows that no weight was fitted to; lower is better; None without one.
        status: how its fits ended: as of a fit of a record.
        keys: of its fits in the store: one, or one for each fold; none if one fit tried all.
        test: the same as the score on test rows, which choose nothing; None where the trial is no whole fit.
    """

    settings: Mapping[str, Any]
    score: float | None
    status: str = "ok"
    keys: tuple[str, ...] = ()
    test: float | None = None


USUAL: Mapping[str, Any] = {"status": "ok", "keys": (), "test": None}


def closed(trials: Sequence[Trial]) -> dict[str, Any]:
    """Return trials as columns of plain data, without those that hold nothing but what is usual."""
    if not trials:
        return {}
    names = list(trials[0].settings)
    columns: dict[str, Any] = {"settings": {name: [one.settings[name] for one in trials] for name in names}}
    columns["score"] = [one.score for one in trials]
    for name, usual in USUAL.items():
        column = [getattr(one, name) for one in trials]
        if any(own != usual for own in column):
            columns[name] = column
    return columns


def opened(columns: Mapping[str, Any]) -> tuple[Trial, ...]:
    """Return the trials of such columns.

    Raises:
        KeyError, TypeError, ValueError: they are not of that form.
    """
    if not columns:
        return ()
    scores = columns["score"]
    settings = columns["settings"]
    rows = [dict(zip(settings, own, strict=True)) for own in zip(*settings.values(), strict=True)]
    status, keys, test = (columns.get(name, [usual] * len(scores)) for name, usual in USUAL.items())
    return tuple(
        Trial(own, score, how, tuple(of), after)
        for own, score, how, of, after in zip(rows, scores, status, keys, test, strict=True)
    )

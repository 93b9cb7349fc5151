"""What was tried: a row for each step of each attempt at a fit, in one file that only grows."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any, Literal, final

from studylib import places, processes
from studylib.plan import FitSpec

State = Literal["queued", "running", "ok", "diverged", "failed", "timed out", "killed", "interrupted"]
OPEN = {"queued", "running"}
GONE = "the process that computed it ended without a word"


@final
@dataclass(frozen=True)
class Row:
    """One step of an attempt.

    Attributes:
        key: of the fit; ``fit`` says it in words.
        attempt: 1, or 2 if a worker died in the first.
        host: where it was computed, or else where it was asked for.
        process: which process asked for it.
        seconds: of training; ``peak_mb``: the largest memory of its worker so far, in 10⁶ bytes.
        at: when, in UTC.
    """

    key: str
    fit: str
    state: State
    attempt: int = 1
    reason: str = ""
    host: str = ""
    process: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    at: str = ""


_KINDS: dict[type, Any] = {int: int, float: (int, float)}
_FIELDS = {field.name: _KINDS.get(type(field.default), str) for field in fields(Row)}


def row(spec: FitSpec, state: State, **details: object) -> Row:
    """Return the row that ``spec`` is in ``state`` now, on this machine unless ``details`` say otherwise."""
    here = Row(spec.key, spec.label, state, host=platform.node(), process=os.getpid())
    return replace(here, at=datetime.now(UTC).isoformat(timespec="milliseconds"), **details)  # type: ignore[arg-type]  # fields of Row


@final
class Ledger:
    """The file ``ledger.jsonl`` of a store: a line of JSON per row."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or places.store_folder()) / "ledger.jsonl"

    def append(self, rows: Iterable[Row]) -> None:
        """Add rows at the end, all in one write; a line that was cut before them stays a line of its own."""
        text = "".join(json.dumps(vars(one), ensure_ascii=False) + "\n" for one in rows)
        body = text.encode(errors="backslashreplace")  # names of files need not be Unicode
        if not body:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+", buffering=0) as file:
            if file.tell() and self._last_byte() != b"\n":
                body = b"\n" + body
            try:
                while body:  # more than one write only as the disk gets full, to hear what the system says
                    body = body[file.write(body) :]
            except OSError as error:
                raise type(error)(error.errno, error.strerror, str(self.path)) from None

    def rows(self) -> Iterator[Row]:
        """Give the rows in the order in which they were written; lines that are damaged are left out."""
        return (one for _, one in self._lines() if one)

    def damaged(self) -> list[int]:
        """Return the numbers, from 1, of the lines that cannot be read."""
        return [number for number, one in self._lines() if one is None]

    def settle(self) -> list[Row]:
        """Close, as interrupted, what a process of this machine left open when it ended; return the rows."""
        closed = [end for last, end in ends(self.rows()) if end is not last]
        self.append(closed)
        return closed

    def _lines(self) -> Iterator[tuple[int, Row | None]]:
        if not self.path.is_file():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():  # two who both mended the same cut line leave an empty one
                    yield number, _read(line)

    def _last_byte(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1)


def ends(rows: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """Give the last row of each fit by each process, latest last, and beside it how that ended."""
    last: dict[tuple[str, int], Row] = {}
    for one in rows:
        last.pop((one.key, one.process), None)
        last[one.key, one.process] = one
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    for one in last.values():
        closed = _left(one)
        yield one, replace(one, state="interrupted", reason=GONE, at=now) if closed else one


def _left(one: Row) -> bool:
    """Return whether a row is open, and its process, on this machine, has ended."""
    here = one.state in OPEN and one.host == platform.node()
    return here and not processes.still_runs(one.process, _seconds(one.at))


def _seconds(at: str) -> float:
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return inf  # whoever has that number now is believed to be the process


def _read(line: bytes) -> Row | None:
    """Return the row in a line, without the fields that only a later version knows; None if it is damaged."""
    try:
        found = json.loads(line)
        one = Row(**{name: found[name] for name in _FIELDS if name in found})
    except (ValueError, TypeError, RecursionError):
        return None
    return one if all(isinstance(getattr(one, name), kind) for name, kind in _FIELDS.items()) else None

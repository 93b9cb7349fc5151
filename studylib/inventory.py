"""What a store holds, told: in lines for people, in JSON for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from studylib.housekeeping import Holdings, Kept, size
from studylib.ledger import OPEN, Ledger, Row, ends

FINE = OPEN | {"ok", "diverged"}  # a divergence is an answer, and stored
LISTED = {"temporary", "dataset", "edition"}  # fits and damaged entries have lines of their own


@final
@dataclass(frozen=True)
class Attempts:
    """What the ledger says.

    Attributes:
        unreadable: numbers, from 1, of the lines that cannot be read.
        states: how many attempts ended, or stand, in each state.
        running: what is running or waits, as far as this machine can tell.
        badly: how fits ended that did not end well the last time.
    """

    unreadable: tuple[int, ...]
    states: dict[str, int]
    running: tuple[Row, ...]
    badly: tuple[Row, ...]


def attempts(folder: Path) -> Attempts:
    """Read the ledger of the store in ``folder``."""
    ledger = Ledger(folder)
    rows = list(ledger.rows())
    last = list(ends(rows))
    states = Counter[str](row.state for row in rows if row.state not in OPEN)
    states.update(end.state for row, end in last if row.state in OPEN)
    latest = {end.key: end for _, end in last}
    return Attempts(
        tuple(ledger.damaged()),
        dict(states.most_common()),
        tuple(end for _, end in last if end.state in OPEN),
        tuple(end for end in latest.values() if end.state not in FINE),
    )


def as_json(holdings: Holdings) -> str:
    """Return all of it as JSON; sizes are in bytes."""
    data: dict[str, Any] = {
        "store": str(holdings.folder),
        "fits": [asdict(fit) for fit in holdings.fits],
        "damaged": [{"path": str(path), "reason": why} for path, why in holdings.damaged.items()],
        "waste": [
            {"kind": one.kind, "name": one.name, "reason": one.why, "bytes": one.bytes}
            for one in holdings.waste
        ],
        "unclear": [{"path": str(path), "reason": why} for path, why in holdings.needs.unclear.items()],
        "attempts": asdict(attempts(holdings.folder)),
    }
    return _printable(json.dumps(data, indent=1, ensure_ascii=False))


def as_lines(holdings: Holdings) -> Iterator[str]:
    """Give a line per fit, then what is wrong, then what was tried."""
    return map(_printable, _lines(holdings))


def _printable(text: str) -> str:
    # the name of a file, in a reason or on the disk, need not be Unicode; as JSON it stays the same
    return text.encode(errors="backslashreplace").decode()


def _lines(holdings: Holdings) -> Iterator[str]:
    yield f"{holdings.folder}: {_count(len(holdings.fits), 'fit')}"
    width = max((len(fit.fit) for fit in holdings.fits), default=0)
    yield from (f"  {_line(fit, width)}" for fit in holdings.fits)
    yield from (f"damaged {path}: {why}" for path, why in holdings.damaged.items())
    yield from (one.line for one in holdings.waste if one.kind in LISTED)
    yield from _unclear(holdings)
    tried = attempts(holdings.folder)
    states = ", ".join(f"{count} {state}" for state, count in tried.states.items())
    yield f"attempts: {states or 'none'}"
    yield from (f"  {row.state}: {row.fit} (process {row.process} on {row.host})" for row in tried.running)
    yield from (f"  {row.state} the last time: {row.fit}: {row.reason}" for row in tried.badly)
    if tried.unreadable:
        yield f"ledger.jsonl: lines that cannot be read: {', '.join(map(str, tried.unreadable))}"


def sizes(holdings: Holdings) -> Iterator[str]:
    """Give a line per kind of thing, then what records need of it, and what may go."""
    folder = holdings.folder
    rows = {"fits": _under(folder / "fits", len(holdings.fits))}
    rows |= {name: _under(folder / name) for name in ("datasets", "contents", "editions")}
    ledger = Ledger(folder)
    rows["ledger"] = (sum(1 for _ in ledger.rows()), size(ledger.path))
    yield f"{folder}: {_mb(sum(held for _, held in rows.values()))}"
    yield from (f"  {name:<8} {count:>8} {_mb(held):>14}" for name, (count, held) in rows.items())
    needed = [fit.bytes for fit in holdings.fits if fit.needed]
    yield f"records need {_count(len(needed), 'fit')}, {_mb(sum(needed))}"
    yield from _unclear(holdings)
    yield f"prune would free {_mb(0 if holdings.needs.unclear else sum(one.bytes for one in holdings.waste))}"


def _under(folder: Path, entries: int | None = None) -> tuple[int, int]:
    """Return how many entries a folder has, one per file if not given, and how many bytes."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files) if entries is None else entries, sum(map(size, files))


def _unclear(holdings: Holdings) -> Iterator[str]:
    for path, reason in holdings.needs.unclear.items():
        yield f"{path}: {reason} (as long as it may be a record, nothing is removed)"


def _line(fit: Kept, width: int) -> str:
    needed = "a record needs it" if fit.needed else "no record needs it"
    diverged = f": {fit.reason}" if fit.reason else ""
    measures = f"{fit.seconds:8.2f} s {_mb(fit.bytes):>12}"
    return f"{fit.key[:12]}  {fit.status:<8}  {fit.fit:<{width}} {measures}  {needed}{diverged}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _mb(held: int) -> str:
    return f"{held / 1e6:.3f} MB"

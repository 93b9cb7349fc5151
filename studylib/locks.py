"""One writer at a time: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from studylib.errors import StudyError
from studylib.records import write_whole


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold what is written to ``path``, a file that need not be there yet, for this process alone.

    Raises:
        StudyError: another process holds it: which, on which machine, since when, doing what.
    """
    from filelock import FileLock, Timeout

    lock, holder = _beside(path, "lock"), _beside(path, "holder")
    try:
        with FileLock(lock, timeout=0):
            write_whole(holder, json.dumps(_self()).encode())
            try:
                yield
            finally:
                holder.unlink(missing_ok=True)
    except Timeout:
        raise StudyError(
            f"{path}: it is being written by {_told(holder)}."
            " Wait until it is done, or name another folder with --out."
        ) from None


@contextmanager
def awaited(path: Path) -> Iterator[None]:
    """Hold what is written to ``path`` as soon as nobody else does: for what takes a moment."""
    from filelock import FileLock

    with FileLock(_beside(path, "lock")):
        yield


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.stem}.{kind}")


def _self() -> dict[str, str | int]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    command = shlex.join(["studylib", *sys.argv[1:]])
    return {"process": os.getpid(), "host": platform.node(), "since": since, "command": command}


def _told(holder: Path) -> str:
    try:
        who = json.loads(holder.read_bytes())
        return "process {process} on {host} since {since} ({command})".format(**who)
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"

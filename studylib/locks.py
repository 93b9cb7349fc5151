"""One writer at a time: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from time import monotonic, sleep

from studylib.errors import StudyError
from studylib.records import write_whole

PATIENCE = 1.0  # seconds for who has just taken a lock to write down who that is
USERS = "users"  # folder of who uses the folder around it; whoever comes or sweeps passes its door


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


@contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Use what is in ``folder``, beside others who do; nobody has it alone until the last of them is done."""
    user = folder / USERS / f"{os.getpid()}-{token_hex(4)}"
    user.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.callback(_beside(user, "lock").unlink, missing_ok=True)
        with awaited(user.with_name("door")):
            stack.enter_context(held(user))
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Have what is in ``folder`` for this process alone; who comes meanwhile waits.

    Raises:
        StudyError: somebody uses it: which process, on which machine, since when, doing what.
    """
    users = folder / USERS
    users.mkdir(parents=True, exist_ok=True)
    with awaited(users / "door"):
        for lock in sorted(users.glob(".*-*.lock")):
            _forget(folder, users / lock.stem[1:])
        yield


def _forget(folder: Path, user: Path) -> None:
    """Remove what a user left when it died.

    Raises:
        StudyError: it is alive.
    """
    from filelock import FileLock, Timeout

    lock, holder = _beside(user, "lock"), _beside(user, "holder")
    try:
        with FileLock(lock, timeout=0):
            holder.unlink(missing_ok=True)
    except Timeout:
        raise StudyError(f"{folder}: it is being used by {_told(holder)}. Wait until it is done.") from None
    lock.unlink(missing_ok=True)


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(f".{path.stem}.{kind}")


def _self() -> dict[str, str | int]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    command = shlex.join(["studylib", *sys.argv[1:]])
    return {"process": os.getpid(), "host": platform.node(), "since": since, "command": command}


def _told(holder: Path) -> str:
    end = monotonic() + PATIENCE
    while True:
        try:
            who = json.loads(holder.read_bytes())
            return "process {process} on {host} since {since} ({command})".format(**who)
        except (OSError, ValueError, KeyError, TypeError):
            if monotonic() > end:
                return "another process"
            sleep(PATIENCE / 20)  # it has the lock, and is about to say so

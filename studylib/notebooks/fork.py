"""Asking the warm server for a process that runs cells here."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from studylib import processes
from studylib.notebooks.child import Child
from studylib.notebooks.driver import OWN, CannotBeWarm, Process
from studylib.notebooks.texts import Text

MARK = 16  # bytes, of which the first is zero and the others are random


def possible() -> bool:
    """Return whether this system has a server to fork from."""
    return "forkserver" in multiprocessing.get_all_start_methods()


def start(preload: Sequence[str]) -> None:
    """Let the server start, if it is not running yet, and import ``preload`` while we do something else."""
    processes.context(preload)
    if possible():
        forkserver.ensure_running()


@contextmanager
def running(
    environment: Mapping[str, str], preload: Sequence[str], patience: float | None
) -> Iterator[Process]:
    """Yield a process that runs cells as if it had just been started here; afterwards nothing is left of it.

    Args:
        environment: what it has beside the variables of this process.
        preload: modules that the server imports, if it is not running yet.
        patience: seconds to wait for it.

    Raises:
        CannotBeWarm: the system cannot fork, or ``environment`` asks for what only a fresh process can do.
        Ended: it died before it could run a cell.
        Overrun: it was not there in time.
    """
    processes.context(preload)
    with TemporaryDirectory(prefix="studylib-") as folder:
        private = {OWN: str(Path(folder, "ipython"))}
        # as a kernel is called, whose connection file this would be
        arguments = ("ipykernel_launcher.py", "-f", str(Path(folder, "connection.json")))
        mark = b"\0" + os.urandom(MARK - 1)
        child = Child({**os.environ, **environment, **private}, str(Path.cwd()), arguments, mark)
        process = _forked(child)
        try:
            process.become_ready(patience)
            yield process
            process.finish()
        finally:
            process.end()


def _forked(child: Child) -> Process:
    """Ask the server for a fork that becomes ``child``."""
    to_child, to_driver = [os.pipe() for _ in range(2)], [os.pipe() for _ in range(3)]
    (asked, ask), (control, hold) = to_child
    (hear, told), (read_out, out), (read_err, err) = to_driver
    try:
        status, description = forkserver.connect_to_new_process([asked, told, out, err, control])
        with open(description, "wb") as pipe:  # noqa: PTH123  a descriptor
            pipe.write(_described(child))
    except (OSError, EOFError):
        for end in (ask, hold, hear, read_out, read_err):
            os.close(end)
        raise CannotBeWarm from None
    finally:
        for end in (asked, told, out, err, control):
            os.close(end)
    texts = Text("stdout", read_out, child.mark), Text("stderr", read_err, child.mark)
    wires = Connection(ask, readable=False), Connection(hear, writable=False)
    return Process(wires, texts, hold, status, child.environment[OWN])


def _described(child: Child) -> bytes:
    """Return what the server reads; it is not told of the main program, which would be run again."""
    # the first is for multiprocessing: with this path the second, which it starts, can be imported
    return pickle.dumps({"sys_path": sys.path}) + pickle.dumps(child)

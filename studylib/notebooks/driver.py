"""The driver's end: a process forked from the warm server, and what it tells while it runs cells."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from typing import Any, final

import psutil

from studylib.notebooks.texts import Text

GRACE = 2.0  # seconds for what cells have left to do at exit
SWEEPING = 6.0  # seconds for the keeper to end what cells started; it takes milliseconds
QUIET = 1.0  # seconds after which it is said that nothing was told
NOTHING = "nothing"
NOBODY = -1
OWN = "IPYTHONDIR"  # the variable that no other run has with the same value


@final
class CannotBeWarm(Exception):  # noqa: N818  it says what is the case, and a kernel takes over
    """There is no forked process to be had that would be like a fresh one."""


@final
class Ended(Exception):  # noqa: N818  whether it is an error, who hears it decides
    """The process that ran the cells is gone; ``code`` tells how, with signals below zero."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@final
class Overrun(Exception):  # noqa: N818  as above
    """The time for a cell is over."""


@final
@dataclass(frozen=True)
class Message:
    """What a kernel would publish; ``kind`` is the type of its message, or `NOTHING` for a while."""

    kind: str
    content: dict[str, Any]


@final
class Process:
    """A process that runs cells. All that it starts ends with it, and it ends with this one.

    Its methods yield what it tells, in the order in which it was told, and raise, at the end of that:
        Ended: it died.
        Overrun: ``limit`` seconds were not enough.
    """

    def __init__(
        self, wires: tuple[Connection, Connection], texts: tuple[Text, Text], hold: int, status: int, own: str
    ) -> None:
        self._ask, self._told = wires
        self._texts = texts
        self._hold, self._status, self._own = hold, status, own
        self._keeper, self._runner = NOBODY, NOBODY
        self._exit: int | None = None
        self._silent = False  # nothing more will be told

    def become_ready(self, limit: float | None) -> None:
        """Wait until it can run cells.

        Raises:
            CannotBeWarm: it would not be like a fresh process.
        """
        if not wait([self._status], limit):
            raise Overrun
        try:
            self._keeper = forkserver.read_signed(self._status)
        except EOFError:  # the server died
            raise CannotBeWarm from None
        for message in self._until("ready", limit):
            if message.kind == "late":
                raise CannotBeWarm
            self._runner = message.content.get("pid", NOBODY)

    def run(self, code: str, limit: float | None) -> Iterator[Message]:
        """Run a cell, to its reply."""
        with suppress(BrokenPipeError):  # it died since the last one; what follows says how
            self._ask.send_bytes(code.encode(errors="replace"))
        return self._until("execute_reply", limit)

    def finish(self) -> None:
        """Let it end by itself, for a moment."""
        self._ask.close()
        with suppress(Ended, Overrun):
            for _ in self._until("", GRACE):
                pass

    def end(self) -> None:
        """End it, and all that it started, now."""
        os.close(self._hold)
        limit = time.monotonic() + SWEEPING
        wait([self._status], SWEEPING)
        while psutil.pid_exists(self._keeper) and time.monotonic() < limit:
            time.sleep(0.005)  # the server died, and did not see its end
        if self._exit in {None, -signal.SIGKILL}:
            self._sweep()
        for end in (self._ask, self._told, *self._texts):
            end.close()
        os.close(self._status)

    def _sweep(self) -> None:
        """Do what the keeper did not, for it was killed: end what is in the group, or has our mark."""
        left = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in left:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, SWEEPING)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return (
                process.pid == self._keeper
                or os.getpgid(process.pid) == self._runner
                or process.environ().get(OWN) == self._own
            )
        except (psutil.Error, OSError):
            return False

    def _until(self, last: str, limit: float | None) -> Iterator[Message]:
        end = None if limit is None else time.monotonic() + limit
        while True:
            open_texts = [text for text in self._texts if text.open]
            sources: list[Any] = [*open_texts, self._status, *([] if self._silent else [self._told])]
            left = QUIET if end is None else max(0.0, end - time.monotonic())
            ready: list[Any] = wait(sources, min(left, QUIET))
            if self._status in ready:
                yield from self._rest()
                raise Ended(self._code())
            if not ready and left <= QUIET and end is not None:
                yield from self._printed()
                raise Overrun
            if not ready:
                yield Message(NOTHING, {})
            for text in open_texts:
                if text in ready:
                    yield from _stream(text, text.read())
            if self._told in ready:
                for message in self._next():
                    yield message
                    if message.kind == last:
                        return

    def _next(self) -> Iterator[Message]:
        """Yield what was printed before the next message, and the message, if there is one."""
        try:
            told = json.loads(self._told.recv_bytes())
        except (EOFError, OSError):
            self._silent = True
            return
        for text in self._texts:
            yield from _stream(text, text.up_to_mark())
        yield Message(told["kind"], told["content"])

    def _rest(self) -> Iterator[Message]:
        """Yield what a process had told before it died."""
        while not self._silent and self._told.poll():
            yield from self._next()
        yield from self._printed()

    def _printed(self) -> Iterator[Message]:
        for text in self._texts:
            yield from _stream(text, text.rest())

    def _code(self) -> int:
        try:
            self._exit = int(forkserver.read_signed(self._status))
        except EOFError:  # the server died before it could say
            self._exit = -signal.SIGKILL
        return self._exit


def _stream(text: Text, printed: str) -> Iterator[Message]:
    if printed:
        yield Message("stream", {"name": text.name, "text": printed})

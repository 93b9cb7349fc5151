"""Cells run by IPython in this process, which tells its driver what a kernel would tell its client.

The shell is the one that a kernel has; only its session is replaced, by a wire to the driver. Text goes
through the two pipes that are file descriptors 1 and 2, so that what C code and other programs print is in
its place too, and what was printed before a crash is not lost in a buffer.
"""

from __future__ import annotations

import asyncio
import builtins
import getpass
import io
import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from threading import RLock
from types import MethodType, SimpleNamespace
from typing import Any, final

from ipykernel.compiler import XCachingCompiler, get_file_name
from ipykernel.kernelbase import Kernel
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session, new_id
from traitlets.config import Config

PATH = tuple(entry for entry in sys.path if entry)  # of a fresh interpreter, if a fresh server imports this
STREAMS = ("stdout", "stderr")


@final
class Stream(io.TextIOBase):
    """Text to the driver, by a pipe and without a buffer."""

    encoding = "UTF-8"

    def __init__(self, name: str, descriptor: int) -> None:
        self.name = name
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Return what another program may write to."""
        return self._descriptor

    def writable(self) -> bool:
        """Return that it takes text."""
        return True

    def write(self, text: str) -> int:
        """Send ``text`` at once."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        left = text.encode(errors="replace")
        while left:
            left = left[os.write(self._descriptor, left) :]
        return len(text)


@final
class Wire(Session):
    """Sends what a kernel would publish to the driver, each message after what was printed before."""

    def attach(self, told: Connection, streams: tuple[Stream, ...], mark: bytes) -> None:
        """Say where the driver is, and who tells."""
        self.session = new_id()
        self._told, self._streams, self._mark = told, streams, mark
        self._lock, self._owner = RLock(), os.getpid()

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> Any:  # noqa: ARG002
        """Send one message; kernels name the socket first."""
        if isinstance(msg_or_type, dict):
            self.tell(msg_or_type["msg_type"], msg_or_type["content"])
        else:
            self.tell(msg_or_type, content)

    def tell(self, kind: str, content: Any) -> None:
        """Send one message, with marks in the text that is printed where it belongs."""
        if os.getpid() != self._owner:  # a fork of the process: two writers would garble the wire
            return
        packed = self.pack({"kind": kind, "content": content})
        with self._lock:
            for stream in self._streams:
                os.write(stream.fileno(), self._mark)
            self._told.send_bytes(packed)


WIRE = Wire()  # made by the server: to make it takes a fork longer than to copy what it needs of it


@final
class Compiler(XCachingCompiler):
    """Names code after its text, and not after the process too, as kernels do: a warning shows the name."""

    def get_code_name(self, raw_code: str, *_: Any) -> str:
        """Return the name that tracebacks and warnings give to the code of a cell."""
        name: str = get_file_name(raw_code)  # type: ignore[no-untyped-call]
        return f"/ipykernel_cells/{Path(name).name}"


def serve(asked: Connection, told: Connection, texts: tuple[int, ...], mark: bytes) -> None:
    """Run the cells that are asked for, one by one, until no more can come."""
    streams = tuple(Stream(name, os.dup(descriptor)) for name, descriptor in zip(STREAMS, texts, strict=True))
    for number, descriptor in enumerate(texts, 1):
        os.dup2(descriptor, number)
    sys.stdout, sys.stderr = streams
    unanswered = SimpleNamespace(_allow_stdin=False)
    builtins.input = MethodType(Kernel.raw_input, unanswered)
    getpass.getpass = MethodType(Kernel.getpass, unanswered)
    WIRE.attach(told, streams, mark)
    shell = _shell()
    WIRE.tell("ready", {"pid": os.getpid()})
    loop = asyncio.new_event_loop()  # asyncio.run would keep Ctrl-C from the code in the cells
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_serve(shell, asked))


async def _serve(shell: Any, asked: Connection) -> None:
    owner = os.getpid()
    while not shell.exit_now:
        await _readable(asked.fileno())  # tasks that cells left behind go on meanwhile, as in a kernel
        try:
            code = asked.recv_bytes().decode()
        except EOFError:
            return
        WIRE.tell("execute_input", {"execution_count": shell.execution_count})
        reply = await _execute(shell, code)
        if os.getpid() != owner:
            os._exit(0)  # a fork that the cell made, and did not end
        WIRE.tell("execute_reply", reply)


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    there: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, lambda: None if there.done() else there.set_result(None))
    try:
        await there
    finally:
        loop.remove_reader(descriptor)


async def _execute(shell: Any, code: str) -> dict[str, Any]:
    """Run one cell; return what a kernel would reply."""
    ready, problem = code, None
    try:
        ready = shell.transform_cell(code)
    except Exception:  # noqa: BLE001  the shell shows it as the error of the cell
        problem = sys.exc_info()
    shell._last_traceback = None  # noqa: SLF001  what the kernel reads too
    if shell.should_run_async(code, transformed_cell=ready, preprocessing_exc_tuple=problem):
        try:
            result = await shell.run_cell_async(
                code, store_history=True, transformed_cell=ready, preprocessing_exc_tuple=problem
            )
        finally:
            shell.events.trigger("post_execute")
        shell.events.trigger("post_run_cell", result)
    else:
        result = shell.run_cell(code, store_history=True)
    shell.payload_manager.clear_payload()
    error = result.error_before_exec or result.error_in_exec
    if result.success and not getattr(shell, "_last_traceback_during_displayhook", False):
        return {"status": "ok"}
    trace = shell._last_traceback or []  # noqa: SLF001
    return {"status": "error", "ename": type(error).__name__, "evalue": str(error), "traceback": trace}


def _shell() -> Any:
    settings = Config()
    settings.HistoryManager.hist_file = ":memory:"
    kernel = SimpleNamespace(eventloop=None, session=WIRE, iopub_socket=None)
    shell: Any = ZMQInteractiveShell.instance(config=settings, kernel=kernel, compiler_class=Compiler)
    shell.displayhook.session = shell.display_pub.session = WIRE
    shell.displayhook.topic = b"execute_result"
    sys.path[:] = _path()
    return shell


def _path() -> list[str]:
    """Return where a kernel looks for modules: here, after the standard library and before packages."""
    names = [Path(entry).name for entry in PATH]
    first = next((k for k, name in enumerate(names) if name in {"site-packages", "dist-packages"}), len(PATH))
    return [*PATH[:first], "", *PATH[first:]]

"""One kernel process of this interpreter, out of the reader's sight, that leaves nothing behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, final

import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop, run_sync

if TYPE_CHECKING:
    from jupyter_client.asynchronous.client import AsyncKernelClient

LAST_LINES = 8  # of what the process said before it ended
LONGEST_SOCKET_PATH = 90  # systems allow about 104 bytes, and the client appends a number
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger's remark on frozen modules is not for our readers
}


@contextmanager
def running(environment: Mapping[str, str]) -> Iterator[Kernel]:
    """Yield the manager of one kernel; afterwards end its process, and all that this started.

    It has the variables of ``environment`` beside those of this process.

    Sockets, connection file, IPython's settings and history stay in a folder of its own: kernels that run at
    the same time do not meet, and the user's settings do not change a study.
    """
    with TemporaryDirectory(prefix="studylib-") as name:
        folder = Path(name)
        sockets = folder / "k"
        local = os.name == "posix" and len(os.fsencode(sockets)) < LONGEST_SOCKET_PATH
        kernel = Kernel(
            kernel_name="python3",
            kernel_spec_manager=ThisInterpreter(folder, environment),
            connection_file=str(folder / "connection.json"),
            transport="ipc" if local else "tcp",
            ip=str(sockets) if local else "127.0.0.1",
            transport_encryption="auto" if zmq.has("curve") else "disabled",
        )
        kernel.stderr = folder / "stderr"
        try:
            yield kernel
        finally:
            kernel.end()
            _close_loop()


def _close_loop() -> None:
    """Close the event loop that ``run_sync`` made for this thread: it would outlive the thread."""
    loop = ensure_event_loop()
    if not loop.is_running():
        loop.close()


@final
class ThisInterpreter(KernelSpecManager):
    """Knows one kernel, the interpreter that runs this, whatever kernels the machine has by that name."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._environment = {**environment, "IPYTHONDIR": str(folder / "ipython")}

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:  # noqa: ARG002  # every name means this one
        """Return how to start it."""
        spec = KernelSpec(**get_kernel_dict())
        spec.env = self._environment
        return spec


@final
class Kernel(AsyncKernelManager):
    """One kernel process, whose standard error goes to a file instead of the terminal."""

    stderr: Path
    connected: AsyncKernelClient | None = None

    async def start_kernel(self, **settings: Any) -> None:  # type: ignore[override]  # typed as if blocking
        """Start the process."""
        with self.stderr.open("wb") as file:
            await super().start_kernel(stderr=file, **settings)

    def client(self, **settings: Any) -> AsyncKernelClient:  # type: ignore[override]  # typed as if blocking
        """Return a client, and remember it: papermill does not close it."""
        self.connected = super().client(**settings)
        return self.connected

    def last_words(self) -> str:
        """Return how the process ended and what it said last, to follow "the kernel died"."""
        code = run_sync(self.provisioner.poll)() if self.provisioner else None
        how = "." if code is None else f": {exit_words(code)}."
        said = self.stderr.read_text(errors="replace") if self.stderr.exists() else ""
        return "\n  ".join([how, *said.strip().splitlines()[-LAST_LINES:]])

    def end(self) -> None:
        """Close the connection and end the process with all that it started: a dead kernel leaves workers."""
        group = getattr(self.provisioner, "pgid", None)
        if self.connected:
            self.connected.stop_channels()
        run_sync(self.shutdown_kernel)(now=True)
        if group:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def exit_words(code: int) -> str:
    """Return how a process ended, for a reader; ``code`` has signals below zero."""
    if code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}, most often for want of memory" if name == "SIGKILL" else name

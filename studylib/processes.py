"""Processes of ours: started warm where the system can fork, one thread each, and never left behind."""

from __future__ import annotations

import multiprocessing
import os
import platform
import signal
import sys
from contextlib import suppress
from functools import cache
from multiprocessing.connection import wait
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.context import BaseContext

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # Arrow's, which pandas imports
}
KEPT = 2**25  # bytes at once that a process keeps for later; the C library takes no more
CLOCK = 60.0  # seconds by which the start of a process may seem to move when the clock is set
SAME_ORDER = {"PYTHONHASHSEED": "0"}  # of a set of texts, in all that the server forks


def context(preload: Sequence[str] = ()) -> BaseContext:
    """Return what processes are started from: a server that has imported ``preload`` once, and forks.

    The server is started with the first process, so ``preload`` of later calls changes nothing. It computes
    nothing and never touches a GPU. Where the system cannot fork, every process imports for itself.
    """
    os.environ.update(ONE_THREAD | SAME_ORDER)  # read by the libraries, and by Python, when they start
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["studylib.lifeline", *preload])
    return server


@cache
def one_thread() -> None:
    """Hold this process to one intra-op thread, whoever started it: two give other digits, and are slower."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    threadpool_limits(1)
    _keep_memory()


def _keep_memory() -> None:
    """Let the C library of Linux hand out again what was given back, where it would return it to the system.

    Whatever is larger than 128 kB comes from there anew otherwise, page by page, which small networks
    wait for in every step.
    """
    if platform.libc_ver()[0] == "glibc":
        import ctypes

        for parameter in (-1, -3):  # the least that is returned at the end of the heap, and by itself
            ctypes.CDLL(None).mallopt(parameter, KEPT)


def begin() -> None:
    """Leave Ctrl-C to the process that started this one, and end with it, however it ends.

    Everything that this process starts ends too: it leads a process group of its own.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        os.setsid()
    parent = multiprocessing.parent_process()
    if parent is not None:
        # a pipe that closes tells the death of a process to a thread; a signal on it would come from the
        # thread that started us, and not from its process
        Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def kill(pid: int) -> None:
    """End a process that has begun, and all that it started, at once."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def still_runs(pid: int, at: float) -> bool:
    """Return whether the process that was ``pid`` at the time ``at``, in seconds since 1970, is running.

    Its number may be another's by now; in a container every run has the same.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= at + CLOCK)
    except (psutil.NoSuchProcess, ValueError, OverflowError):  # the last two: no number of a process
        return False
    except psutil.AccessDenied:
        return True


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    kill(os.getpid())


@cache
def machine(device: str = "cpu") -> str:
    """Return the kind of processor that this runs on, and of its GPU if fits are computed on that ("cuda").

    Two kinds may differ in the last digits of a number.
    """
    kind = f"{platform.machine()} {_processor()}".strip()
    return kind if device == "cpu" else f"{kind}, {_gpu()}"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123  # a file of Linux alone
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"


def peak_mb() -> float:
    """Return the largest resident memory of this process so far, in MB (10⁶ bytes)."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

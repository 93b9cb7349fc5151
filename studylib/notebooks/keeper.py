"""The parent of the process that runs cells: it outlives it by a moment, and nothing outlives the two.

A process group alone would not do: a program that a cell starts may leave it. Where the system knows
subreapers (Linux), whatever a cell starts becomes a child of the keeper when its own parent ends.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from typing import NoReturn

import psutil

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
PATIENCE = 5.0  # seconds for killed processes to be gone; one that hangs in the kernel is left to it


def keep(run: Callable[[], None], control: int) -> NoReturn:
    """Fork, ``run`` there, wait for its end or for ``control`` to be closed, then end all that is left.

    This process then ends as that one did: with its exit code, or by its signal.
    """
    os.setsid()  # Ctrl-C is for the program that asked for the run
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    keeper, runner = os.getpid(), os.fork()
    if runner == 0:
        _become_runner(keeper, (control, woken, waker))
        run()
        os._exit(0)
    code = _exit_code(runner, woken, control)
    _sweep(runner)
    _end_alike(code)


def _become_runner(keeper: int, unused: tuple[int, ...]) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for descriptor in unused:
        os.close(descriptor)
    os.setpgid(0, 0)
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # the keeper has one thread, so this is its death
    if os.getppid() != keeper:
        os._exit(1)


def _exit_code(runner: int, woken: int, control: int) -> int:
    """Return how ``runner`` ended, after ending it if ``control`` was closed."""
    while True:
        if control in wait([woken, control]):
            with suppress(ProcessLookupError):
                os.kill(runner, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(runner, 0)[1])
        os.read(woken, 4096)
        ended, status = os.waitpid(runner, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)


def _sweep(runner: int) -> None:
    """Kill what the cells started, down to the last process."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(runner, signal.SIGKILL)
    end = time.monotonic() + PATIENCE
    with suppress(ChildProcessError):  # none is left
        while time.monotonic() < end:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                for process in psutil.Process().children(recursive=True):
                    with suppress(psutil.Error):
                        process.kill()
                time.sleep(0.005)


def _end_alike(code: int) -> NoReturn:
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the core, if any, was that of the runner
        with suppress(OSError):  # SIGKILL has no handler to take away
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(max(code, 1) if code < 0 else code)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)

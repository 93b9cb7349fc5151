"""Imported first by the server that processes are forked from, which is deaf until it has imported the rest.

It would outlive its parent by seconds, and answer Ctrl-C with a traceback. A thread that watched the parent
would be one too many to fork with, so a timer does, in the server alone: a fork has none.
"""

from __future__ import annotations

import os
import signal
from types import FrameType

OFTEN = 0.1  # seconds between two looks at the parent
PARENT = os.getppid()


def _look(_signal: int, _frame: FrameType | None) -> None:
    if os.getppid() != PARENT:
        os._exit(1)


def _let_go() -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGALRM, _look)
signal.setitimer(signal.ITIMER_REAL, OFTEN, OFTEN)
os.register_at_fork(after_in_child=_let_go)

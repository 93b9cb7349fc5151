"""The cores of this machine as an executor: a process that dies takes what it was at with it, and no more."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, final

from studylib import memory, processes
from studylib.errors import StudyError

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext

    from studylib.records import Status

T = TypeVar("T")

DIED = "a worker process died: out of memory, or stopped from outside"
TRAINING = ("torch", "scipy.special", "studylib.trainers.stacked", "studylib.trainers.stacked_factors")
LOOK = 0.05  # seconds between two looks at the clock and at the memory of the workers


@final
class Stopped(StudyError):  # noqa: N818  # it names what happened
    """A task was ended from outside, for a reason that trying again does not remove."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def late(seconds: float, things: int) -> Stopped:
    """Return what is said of a task on so many ``things``, each of which may take ``seconds``."""
    several = f" for each of {things}" if things > 1 else ""
    return Stopped("timed out", f"it took longer than the limit of {seconds:g} s{several}")


class Limits(NamedTuple):
    """What one task may use: ``seconds`` of wall time, and ``memory`` that its worker holds, in bytes.

    A call on a list of n things may take n times the seconds: they may be done one after the other.
    """

    seconds: float | None = None
    memory: float | None = None


NONE = Limits()


def share(args: Sequence[object]) -> int:
    """Return how many things a call with ``args`` is about: one, or as many as are in a list."""
    return len(args[0]) if args and isinstance(args[0], list) else 1


@contextmanager
def local(
    workers: int | None = None, limits: Limits = NONE, preload: Sequence[str] = TRAINING
) -> Iterator[Pool]:
    """Yield a pool of ``workers`` processes (default: one per core), each with one intra-op thread.

    They start with the first task, forked from a server that has imported ``preload`` once, where the system
    can fork. If the body is left by an error or by Ctrl-C, they end at once, and all that they started.
    """
    pool = Pool(workers or processes.cores(), limits, processes.context(preload))
    try:
        yield pool
    except BaseException:
        pool.kill()  # a fit may take an hour; what is finished is in the store
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@final
class Pool(Executor):
    """One process pool per worker, each of one process, so that a death has one task to blame.

    A future ends with ``BrokenExecutor`` if its worker died, with ``Stopped`` if it passed a limit. The
    worker is replaced, and the other tasks go on.
    """

    def __init__(self, workers: int, limits: Limits, context: BaseContext) -> None:
        self.width = workers
        self._limits = limits
        self._context = context
        self._lock = Lock()
        self._closed = Event()
        self._waiting: deque[_Task] = deque()
        self._idle = [self._worker() for _ in range(workers)]
        self._busy: dict[_Worker, _Task] = {}
        if limits != NONE:
            Thread(target=self._watch, daemon=True).start()

    def _worker(self) -> _Worker:
        return _Worker(self._context, partial(_begin, self.width, self._limits.memory))

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Queue a call for the next free worker: first come, first served."""
        task = _Task(Future(), partial(fn, *args, **kwargs), share(args))
        with self._lock:
            if self._closed.is_set():
                raise RuntimeError("the pool is closed")
            self._waiting.append(task)
        self._hand_out()
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # as its parent has it
        """End the workers, after what they are at; what waits is done before, or cancelled."""
        self._closed.set()
        if cancel_futures:
            self._cancel()
        if wait:
            self._finish()
        with self._lock:
            workers = [*self._idle, *self._busy]
        for worker in workers:
            worker.pool.shutdown(wait)

    def kill(self) -> None:
        """End the workers at once, whatever they are at, and all that they started."""
        self._closed.set()
        self._cancel()
        with self._lock:
            for worker in (*self._idle, *self._busy):
                worker.kill()

    def _cancel(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
            self._waiting.clear()
        for task in waiting:
            task.future.cancel()

    def _finish(self) -> None:
        while True:
            with self._lock:
                left = [task.future for task in (*self._waiting, *self._busy.values())]
            if not left:
                return
            wait(left)

    def _hand_out(self) -> None:
        while True:
            with self._lock:
                if not (self._idle and self._waiting):
                    return
                task = self._waiting.popleft()
                if not task.future.set_running_or_notify_cancel():
                    continue
                worker = self._idle.pop()
                self._busy[worker] = task
            try:
                inner = worker.call(task)
            except BaseException as error:  # no process could be started; or Ctrl-C while one was
                inner = Future()
                inner.set_exception(error)
                if not isinstance(error, Exception):
                    self._cancel()  # so that nothing is handed out in its place
                    self._done(worker, task, inner)
                    raise
            inner.add_done_callback(partial(self._done, worker, task))

    def _done(self, worker: _Worker, task: _Task, inner: Future[Any]) -> None:
        error = inner.exception()
        died = isinstance(error, BrokenExecutor)
        if died:
            worker.kill()  # what it had started is still there
        with self._lock:
            del self._busy[worker]
            # one that passed a limit with its last breath is doomed, though its result came through
            self._idle.append(self._worker() if died or worker.verdict else worker)
        if error:
            task.future.set_exception((worker.verdict or BrokenExecutor(DIED)) if died else error)
        else:
            task.future.set_result(inner.result())
        self._hand_out()

    def _watch(self) -> None:
        while not self._closed.wait(LOOK):
            with self._lock:
                for worker in self._busy:
                    worker.hold_to(self._limits)


class _Task(NamedTuple):
    future: Future[Any]
    call: Callable[[], Any]
    share: int


@final
class _Worker:
    """A pool of one process, which is started when it is first needed."""

    def __init__(self, context: BaseContext, begin: Callable[[], None]) -> None:
        self.pool = ProcessPoolExecutor(1, mp_context=context, initializer=begin)
        self.verdict: Stopped | None = None
        self._born: Future[int] | None = None
        self._since = monotonic()
        self._share = 1

    def call(self, task: _Task) -> Future[Any]:
        if self._born is None:
            self._born = self.pool.submit(os.getpid)
        self._since, self._share = monotonic(), task.share
        return self.pool.submit(task.call)

    def hold_to(self, limits: Limits) -> None:
        """End the process if what it is at took too long, or if it holds too much memory."""
        import psutil

        if self.verdict or not (self._born and self._born.done()):
            return
        if limits.seconds and monotonic() - self._since > limits.seconds * self._share:
            self.verdict = late(limits.seconds, self._share)
        elif limits.memory:
            with suppress(psutil.Error):
                held = psutil.Process(self._born.result()).memory_info().rss
                if held > limits.memory:
                    ceiling = f"{limits.memory / 1e9:g} GB"
                    self.verdict = Stopped("killed", f"its worker passed the memory ceiling of {ceiling}")
        if self.verdict:
            self.kill()

    def kill(self) -> None:
        if self._born:
            self._born.add_done_callback(_kill)


def _kill(born: Future[int]) -> None:
    if not born.cancelled() and not born.exception():
        processes.kill(born.result())


def _begin(workers: int, ceiling: float | None) -> None:
    processes.begin()
    memory.share(workers, ceiling)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)  # the server may have been started by somebody else

"""Workers of a Dask cluster as an executor: each is admitted if it computes the same numbers, and watched.

Dask decides where a task runs, and runs it elsewhere when a worker dies. A worker that is admitted gets a
resource that every task asks for, so that no other one is given any, however late it joins.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from concurrent.futures import wait as finish
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, final
from uuid import uuid4

from studylib import executors
from studylib.admission import ANSWER, GPU, Crew, called, without_gpu
from studylib.errors import ParameterError, StudyError
from studylib.pool import late, share

if TYPE_CHECKING:
    from distributed import Client

T = TypeVar("T")

GRACE = 30.0  # seconds without a worker until the work is given up: a nanny needs a few to start a new one
LOOK = 0.5  # seconds between two looks at the workers and the clock

log = logging.getLogger(__name__)


@contextmanager
def connected(address: str, timeout: float | None = None) -> Iterator[Cluster]:
    """Yield the workers of the Dask scheduler at ``address``; a fit may take ``timeout`` seconds.

    If the body is left by an error or by Ctrl-C, what waits is cancelled, and what runs is ended.

    Raises:
        ParameterError: nobody answers, there is no worker, or one that would compute other numbers.
    """
    with ExitStack() as stack:
        client = _client(address)
        stack.callback(client.close, 1)
        workers = Cluster(client, address, timeout)
        stack.callback(workers.shutdown)
        try:
            yield workers
        except BaseException:
            workers.kill()
            raise


def _client(address: str) -> Client:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise ParameterError(
            "--cluster: needs distributed, which is not installed: pip install 'studylib[cluster]'."
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what concerns a user is said here, once
    try:
        # a client that could not connect is never quite closed, and may block the next one: so knock first
        asyncio.run(_knocked(address))
        return Client(address, timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"--cluster {address}: expected the address of a Dask scheduler, such as tcp://host:8786; none"
            f" answered within {ANSWER:g} s ({type(error).__name__}). To start one: dask scheduler"
        ) from None


async def _knocked(address: str) -> None:
    from distributed.comm.core import connect
    from distributed.security import Security

    comm = await connect(address, timeout=ANSWER, **Security().get_connection_args("client"))
    await comm.close()


@dataclass
class _Task:
    """A call on its way: what Dask was asked for, and, once it has begun, where and since when."""

    future: Future[Any]
    gpu: bool
    share: int
    asked: Future[Any] | None = None
    worker: str = ""
    since: float = 0.0

    def seconds(self) -> float:
        return monotonic() - self.since if self.since else 0.0


@final
class Cluster(Executor):
    """The admitted workers, each of which does one task at a time.

    A future ends with ``BrokenExecutor`` if Dask gave up a task that workers died of, with ``Stopped`` if it
    passed the limit, and with ``StudyError`` if there is nobody left who could compute anything.
    """

    def __init__(self, client: Client, address: str, timeout: float | None) -> None:
        self._client = client
        self._address = address
        self._limit = timeout or float("inf")
        self._crew = Crew(client, address, nannies=bool(timeout))
        self._crew.gather()
        self._lock = Lock()
        self._tasks: dict[str, _Task] = {}
        self._lost: StudyError | None = None
        self._closed = Event()
        self._served = monotonic()  # when there last was a worker for everything that waits
        self._topic = f"studylib-{uuid4().hex}"
        client.subscribe_topic(self._topic, self._begun)
        Thread(target=self._watch, daemon=True).start()

    @property
    def width(self) -> int:
        """How many tasks can run at once; as long as there are some for GPUs, one per device."""
        with self._lock:
            gpu = any(task.gpu for task in self._tasks.values())
            return max(1, self._crew.places(gpu=gpu))  # where nobody is left, one waits for who may come

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Have ``fn`` called on an admitted worker; on one that offers a GPU, if it is about one."""
        asks = fn is executors.device_class
        gpu = asks or any(one.device == "cuda" for one in executors.fits_of(args))
        call: partial[Any] = partial(fn, *args, **kwargs)
        task, token = _Task(Future(), gpu, share(args)), uuid4().hex
        with self._lock:
            if self._lost or self._closed.is_set():
                raise self._lost or RuntimeError("the connection is closed")
            if asks and not self._crew.places(gpu=True):
                call, task.gpu = partial(without_gpu, *args), False
            self._tasks[token] = task
        resources = self._crew.resources | ({GPU: 1.0} if task.gpu else {})
        line = self._client.get_executor(pure=False, resources=resources)
        task.asked = line.submit(called, self._topic, token, call)
        task.asked.add_done_callback(partial(self._done, token))
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # as its parent has it
        """End the watch, after what was asked for is done, or ended if so wished."""
        if cancel_futures:
            self.kill()
        if wait:
            finish([task.future for task in list(self._tasks.values())])
        self._closed.set()

    def kill(self) -> None:
        """Give up what waits, and end what runs with its worker; a nanny starts a new one."""
        self._closed.set()
        tasks = self._taken(list(self._tasks))
        if self._client.status == "running":
            self._end(tasks).join(0.5)  # to be sent, not to be done
        for task in tasks:
            task.future.cancel()

    def _taken(self, tokens: Iterable[str]) -> list[_Task]:
        with self._lock:
            return [self._tasks.pop(token) for token in tokens if token in self._tasks]

    def _begun(self, event: tuple[float, tuple[str, str, bool]]) -> None:
        token, worker, loaded = event[1]
        if task := self._tasks.get(token):
            task.worker, task.since = worker, monotonic() if loaded else 0.0

    def _done(self, token: str, asked: Future[Any]) -> None:
        if asked.cancelled() and self._client.status != "running":
            self._give_up("the scheduler went away")
        error = _error(asked)
        for task in self._taken([token]):
            if error:
                task.future.set_exception(error)
            else:
                task.future.set_result(asked.result())

    def _watch(self) -> None:
        while not self._closed.wait(LOOK):
            try:
                refused = self._crew.look()
            except Exception as error:  # noqa: BLE001  # in whichever way it shows: nobody is there to answer
                if not self._closed.is_set():
                    self._give_up(f"the scheduler went away ({type(error).__name__})")
                return
            if refused:
                log.warning("--cluster %s: not used: %s", self._address, self._crew.complaint(refused))
            self._count()
            self._end_late()

    def _count(self) -> None:
        """Stop the clocks of what lost its worker; give up if nobody came for what waits."""
        tasks = list(self._tasks.values())
        for task in tasks:
            if task.worker not in self._crew.present:
                task.worker, task.since = "", 0.0  # Dask starts it anew elsewhere
        if all(self._crew.places(gpu=task.gpu) for task in tasks):
            self._served = monotonic()
        elif monotonic() - self._served > GRACE:
            self._give_up(f"no worker has been left for what waits for {GRACE:g} s")

    def _end_late(self) -> None:
        with self._lock:
            over = [token for token, own in self._tasks.items() if own.seconds() > self._limit * own.share]
        tasks = self._taken(over)
        if tasks:
            self._end(tasks)
        for task in tasks:
            task.future.set_exception(late(self._limit, task.share))

    def _end(self, tasks: Sequence[_Task]) -> Thread:
        """Cancel ``tasks``, and have the workers that are at them started anew, without waiting for it."""
        for task in tasks:
            if task.asked:
                task.asked.cancel()  # first, so that Dask does not run them elsewhere
        workers = {task.worker for task in tasks} & self._crew.nannied()

        def restart() -> None:
            with suppress(Exception):  # one that is gone already cannot be ended, and need not be
                self._client.restart_workers(sorted(workers), timeout=GRACE, raise_for_error=False)

        (ending := Thread(target=restart, daemon=True)).start()
        return ending

    def _give_up(self, why: str) -> None:
        what = "What is finished is kept: start it again, and then this."
        error = StudyError(f"--cluster {self._address}: {why}. {what}")
        with self._lock:
            self._lost = error
        for task in self._taken(list(self._tasks)):
            task.future.set_exception(error)


def _error(asked: Future[Any]) -> BaseException | None:
    from distributed import KilledWorker

    if asked.cancelled():
        return BrokenExecutor("somebody cancelled it on the cluster")
    error = asked.exception()
    if isinstance(error, KilledWorker):
        deaths = error.allowed_failures + 1  # what waited beside it is blamed too, and deserves another try
        return BrokenExecutor(f"{deaths} workers died while it ran, one after the other")
    return error

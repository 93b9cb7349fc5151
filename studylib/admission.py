"""What a worker of a cluster must be to compute the same numbers, and how it does a task."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from threading import Lock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeAlias, final

from studylib import datasets, executors, fingerprints, memory, models, processes, regularizers
from studylib.datasets.base import content_hash
from studylib.errors import ParameterError
from studylib.plan import DECIDING_PACKAGES, FitSpec
from studylib.store import Result
from studylib.trainers.fitting import TRAINERS

if TYPE_CHECKING:
    from distributed import Client, Worker

Facts: TypeAlias = Mapping[str, str]
Row: TypeAlias = tuple[str, str, str]

GPU = "GPU"  # the Dask resource of a worker that has a device to itself
NONE = "none"
ANSWER = 20.0  # seconds for the scheduler to answer, and for the first worker to join
LOADING = 60.0  # seconds for a worker to import this package, maybe over a network


def facts() -> dict[str, str]:
    """Return what decides numbers here, by name: versions, and the code of all that a worker runs."""
    found = {"python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    found |= {package: _version(package) for package in (*DECIDING_PACKAGES, "distributed")}
    modules = [
        f"{package.__name__}.{name}"
        for package in (datasets, models, regularizers)
        for name in package.CATALOGUE
    ]
    modules += [f"studylib.trainers.{name}" for name in TRAINERS]
    return found | {"code of studylib": fingerprints.of_code([*modules, __name__])[:12]}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return NONE


async def admit(wanted: Facts, resources: Mapping[str, float], dask_worker: Worker) -> Facts:
    """Return the facts of the worker that runs this; it gets ``resources`` if they are as ``wanted``."""
    state = dask_worker.state
    found = facts() | {"threads": str(state.nthreads), "nanny": "yes" if dask_worker.nanny else "no"}
    if not differences(wanted, found):
        await dask_worker.set_resources(**resources)
        running = dask_worker.status
        if running.name == "running":
            # a task that no worker could take is looked at again when one begins to run, and only then
            dask_worker.status = type(running).paused
            dask_worker.status = running
    return found | {GPU: f"{state.total_resources.get(GPU, 0):g}"}


def differences(wanted: Facts, found: Facts) -> list[Row]:
    """Return what a worker is not as it should be: the name of each such fact, here and there."""
    return [
        (name, value, found.get(name, NONE)) for name, value in wanted.items() if found.get(name) != value
    ]


def table(misfits: Mapping[str, Sequence[Row]]) -> str:
    """Return what differs as a table: worker, what, here, there."""
    rows = [("worker", "what", "here", "there")]
    rows += [(worker, *row) for worker, found in misfits.items() for row in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


@final
class Crew:
    """The workers of a scheduler: who is admitted, and who would compute other numbers.

    Attributes:
        resources: the Dask resource of those that are admitted, of which a task takes all.
        workers: the facts of those, by address.
        present: the addresses of all that there are.
        misfits: what the others are not as they should be, by address.
    """

    def __init__(self, client: Client, address: str, *, nannies: bool) -> None:
        self._client = client
        self._address = address
        self._wanted = {**facts(), "threads": "1", **({"nanny": "yes"} if nannies else {})}
        seal = sha256(json.dumps(self._wanted).encode()).hexdigest()
        self.resources = {f"studylib-{seal[:16]}": 1.0}
        self.workers: Mapping[str, Facts] = {}
        self.present: set[str] = set()
        self.misfits: Mapping[str, list[Row]] = {}
        self._lock = Lock()
        self._asked: set[str] = set()
        self._found: list[str] = []

    def places(self, *, gpu: bool) -> int:
        """Return how many tasks they can do at once, or how many devices they offer."""
        return sum(int(found[GPU]) for found in self.workers.values()) if gpu else len(self.workers)

    def nannied(self) -> set[str]:
        """Return the addresses of those that are started anew when they end."""
        return {worker for worker, found in self.workers.items() if found["nanny"] == "yes"}

    def gather(self) -> None:
        """Admit the workers that there are; wait for the first one.

        Raises:
            ParameterError: none joins, or one would compute other numbers.
        """
        deadline = monotonic() + ANSWER
        while True:
            self.look()
            late, asked = monotonic() > deadline, self._asked & self.present
            if self.misfits and (late or not asked):
                raise ParameterError(f"--cluster {self._address}: {self.complaint(self.misfits)}")
            if self.workers and (late or not asked):
                return  # one that is busy, or about to end, may answer later
            if late and (not asked or monotonic() > deadline + LOADING):
                what = f"expected workers, and none joined within {ANSWER:g} s"
                raise ParameterError(f"--cluster {self._address}: {what}. {self._how()}")
            sleep(0.1)

    def look(self) -> list[str]:
        """Forget the workers that are gone, and ask those that came; return the misfits that were found.

        Raises:
            OSError: the scheduler does not answer.
        """
        self.present = set(self._client.nthreads(callback_timeout=ANSWER))
        with self._lock:
            self.workers = {own: known for own, known in self.workers.items() if own in self.present}
            found, self._found = self._found, []
        for worker in self.present - self.workers.keys() - self.misfits.keys() - self._asked:
            self._asked.add(worker)
            Thread(target=self._ask, args=(worker,), daemon=True).start()  # one may never answer
        return found

    def complaint(self, misfits: Iterable[str]) -> str:
        """Return what is wrong with ``misfits``, and what to do."""
        told = table({worker: self.misfits[worker] for worker in misfits})
        return f"workers that would not compute the same numbers.\n{told}\n{self._how()}"

    def _how(self) -> str:
        command = f"dask worker {self._address} --nthreads 1"
        return f"Start each with the code and the versions that are installed here: {command}"

    def _ask(self, worker: str) -> None:
        try:
            answers = self._client.run(
                admit,
                self._wanted,
                self.resources,
                workers=[worker],
                on_error="return",
                callback_timeout=LOADING,
            )
            self._hear(worker, answers[worker])
        except (OSError, KeyError):
            pass  # it went away meanwhile, or is asked again
        finally:
            self._asked.discard(worker)

    def _hear(self, worker: str, found: Facts | Exception) -> None:
        if isinstance(found, OSError):
            raise found
        if isinstance(found, Exception):
            rows = [("studylib", "installed", str(found))]
        else:
            rows = differences(self._wanted, found)
        with self._lock:
            if isinstance(found, Exception) or rows:
                self.misfits = {**self.misfits, worker: rows}
                self._found.append(worker)
            else:
                self.workers = {**self.workers, worker: found}


def called(topic: str, token: str, call: partial[Any]) -> Any:
    """Do a task on this worker; ``topic`` hears where ``token`` is, and again when everything is loaded."""
    from distributed import get_worker

    worker = get_worker()
    worker.log_event(topic, [token, worker.address, False])
    _one_thread()
    memory.share(processes.cores(), worker.memory_manager.memory_limit)
    specs: Sequence[FitSpec] = call.args[0] if call.func is executors.compute_stack else ()
    refusal = _refusal(specs[0]) if specs else ""  # those of a stack have one dataset
    worker.log_event(topic, [token, worker.address, True])
    return [Result("failed", refusal, host=platform.node()) for _ in specs] if refusal else call()


def without_gpu(asked: str) -> str:
    """Return the device class that ``asked`` means where no worker offers a GPU.

    Raises:
        ParameterError: "cuda".
    """
    if asked == "cuda":
        raise ParameterError(
            "device: expected a worker that offers a CUDA device, found none. Start one with"
            " `dask worker … --nthreads 1 --resources \"GPU=1\"`, or use 'cpu'."
        )
    return "cpu"


@cache
def _one_thread() -> None:
    """Give each task one core, as everywhere: two threads add up the same numbers in another order."""
    from threadpoolctl import threadpool_limits

    os.environ.update(processes.ONE_THREAD)  # for libraries that are loaded from now on
    threadpool_limits(1)  # for those that were loaded before


def _refusal(spec: FitSpec) -> str:
    """Return why ``spec`` cannot be computed here: its dataset is not what was planned; empty if it can."""
    import torch  # loaded before the clock of the fit starts

    torch.set_num_threads(1)
    try:
        found = _content(json.dumps(spec.dataset))
    except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to this fit and is told there
        return f"{type(error).__name__}: {error}"
    if found == spec.content:
        return ""
    return (
        f"the dataset {spec.dataset['name']} holds something else on {platform.node()} (sha256 {found[:12]})"
        f" than where the fit was planned ({spec.content[:12]}): install the same packages there"
    )


@cache
def _content(settings: str) -> str:
    own = json.loads(settings)
    return content_hash(datasets.CATALOGUE.make(own.pop("name"), own))

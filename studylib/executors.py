"""Who computes fits: anything that is a ``concurrent.futures.Executor``; here, the cores of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from time import perf_counter
from typing import Any, TypeVar

from studylib import datasets, models
from studylib.components import Catalogue, Component, build
from studylib.errors import Divergence, ParameterError, StudyError
from studylib.plan import FitSpec
from studylib.store import Result
from studylib.trainers.base import Outcome, Training

C = TypeVar("C", bound=Component)

HEAVY = ["torch", "scipy.special", "studylib.trainers.gradient", "studylib.trainers.factorization"]
DIED = "a worker process died: out of memory, or stopped from outside"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@contextmanager
def local(workers: int | None = None) -> Iterator[Executor]:
    """Yield a pool of ``workers`` processes (default: one per core), each with one intra-op thread.

    Workers are forked from a server that has the heavy imports done, where the system can fork. If the body
    is left by an error or by Ctrl-C, they end at once.

    Raises:
        StudyError: a worker died outside a fit.
    """
    os.environ.update(ONE_THREAD)  # read by the libraries when the workers import them
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(HEAVY)
    others = multiprocessing.active_children()
    pool = ProcessPoolExecutor(workers or cores(), mp_context=context, initializer=_begin)
    try:
        yield pool
    except BrokenProcessPool:
        raise StudyError(DIED) from None
    except BaseException:
        for worker in set(multiprocessing.active_children()) - set(others):
            worker.terminate()  # a fit may take an hour; what is finished is in the store
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def compute(specs: Iterable[FitSpec], executor: Executor) -> Iterator[tuple[FitSpec, Result]]:
    """Yield each specification with its result as it is done; one that fails does not stop the others."""
    futures = {_submitted(spec, executor): spec for spec in specs}
    for future in as_completed(futures):
        try:
            result = future.result()
        except BrokenProcessPool:
            result = Result("killed", DIED)
        yield futures[future], result


def _submitted(spec: FitSpec, executor: Executor) -> Future[Result]:
    try:
        return executor.submit(compute_one, spec)
    except BrokenProcessPool as error:
        future: Future[Result] = Future()
        future.set_exception(error)
        return future


def compute_one(spec: FitSpec) -> Result:
    """Train and measure one fit; the result says what happened, also when it went wrong."""
    start = perf_counter()
    try:
        outcome = _outcome(spec)
    except Divergence as error:
        return Result("diverged", str(error), seconds=perf_counter() - start, peak_mb=_peak_mb())
    except Exception as error:  # noqa: BLE001  whatever it is, it belongs to this fit and is told there
        reason = f"{type(error).__name__}: {error}"
        return Result("failed", reason, seconds=perf_counter() - start, peak_mb=_peak_mb())
    seconds = perf_counter() - start
    return Result("ok", "", outcome.metrics, outcome.curves, seconds, _peak_mb())


def device_class(asked: str) -> str:
    """Return "cpu" or "cuda": what ``asked`` ("auto", "cpu" or "cuda") means where this runs.

    Raises:
        ParameterError: "cuda" where there is none.
    """
    if asked == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if asked == "cuda":
        raise ParameterError("device: expected a CUDA device, found none. Use 'cpu', or 'auto'.")
    return "cpu"


def _outcome(spec: FitSpec) -> Outcome:
    from studylib.trainers.fitting import fit

    return fit(
        _named(datasets.CATALOGUE, spec.dataset),
        _named(models.CATALOGUE, spec.model),
        spec.regularizers,
        build(Training, spec.training, "training"),
        spec.seed,
        spec.device,
    )


def _named(catalogue: Catalogue[C], settings: Mapping[str, Any]) -> C:
    return catalogue.make(settings["name"], {key: own for key, own in settings.items() if key != "name"})


def _begin() -> None:
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent ends its workers


def _peak_mb() -> float:
    """Return the largest resident memory of this process so far, in MB (10⁶ bytes)."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6

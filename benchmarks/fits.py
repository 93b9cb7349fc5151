"""What it costs to plan, hand out, store and enter a fit, and how much a second worker is worth.

The fits of the first table are empty, so that all of the time is cost: parameters to specifications and keys,
a look into the store, the way to a worker and back, two files written whole, and three rows in the ledger.
Those of the second multiply matrices, and do nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, final

from studylib import executors, plan, pool, processes
from studylib.computing import computed
from studylib.params import study_params
from studylib.plan import FitSpec
from studylib.store import Result, Store

COUNTS = (100, 1_000, 10_000)
ROUNDS = 5
CPU_BOUND = 40  # fits


def main() -> None:
    """Print the cost per fit for each number of fits, then the time of two workers beside that of one."""
    for count in COUNTS:
        with pool.local() as workers, TemporaryDirectory() as folder:
            workers.submit(abs, 0).result()  # processes start before the clock does
            seconds = _cost(count, _Instead(workers, empty), Path(folder))
        print(f"{count:>6} empty fits: {seconds:6.2f} s, {1e3 * seconds / count:.2f} ms each (at most 3)")
    ratios = []
    for _ in range(ROUNDS):
        one, two = (_busy(workers) for workers in (1, 2))
        ratios.append(one / two)
        print(
            f"{CPU_BOUND} CPU-bound fits: one worker {one:.2f} s, two workers {two:.2f} s, {one / two:.2f} ×"
        )
    print(
        f"two workers over one: {median(ratios):.2f} × (at least 1.9), best of {ROUNDS}: {max(ratios):.2f} ×"
    )


def empty(spec: FitSpec) -> Result:  # noqa: ARG001  # called as fits are
    """Do nothing."""
    return Result("ok", metrics={"test_accuracy": 0.5}, curves={"train_loss": [1.0, 0.5]})


def busy(spec: FitSpec) -> Result:  # noqa: ARG001  # called as fits are
    """Multiply small matrices for about a tenth of a second, on one core."""
    import numpy as np

    weights = np.eye(64)
    for _ in range(8_000):
        weights = weights @ weights
    return Result("ok")


@final
class _Instead(Executor):
    """Hands ``work`` to the workers in place of the training of each fit."""

    def __init__(self, workers: pool.Pool, work: Callable[[FitSpec], Result]) -> None:
        self.width = workers.width
        self._workers = workers
        self._work = work

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ARG002
        return self._workers.submit(_each, self._work, *args)


def _each(work: Callable[[FitSpec], Result], specs: Sequence[FitSpec]) -> list[Result]:
    return [work(spec) for spec in specs]


def _specs(count: int) -> list[FitSpec]:
    params = study_params("vision", seeds=count // 2, arms={"none": {}, "λ": {"l2": {"strength": 0.1}}})
    return list(plan.plan(params, "0" * 64, "cpu").values())


def _cost(count: int, workers: Executor, folder: Path) -> float:
    store = Store(folder)
    start = perf_counter()
    specs = _specs(count)
    missing = [spec for spec in specs if spec not in store]
    computed(missing, store, workers)
    seconds = perf_counter() - start
    assert len(missing) == count == sum(spec in store for spec in specs)
    return seconds


def _busy(count: int) -> float:
    specs = _specs(CPU_BOUND)
    with pool.local(count, preload=("numpy",)) as workers:
        for future in [workers.submit(abs, 0) for _ in range(processes.cores())]:
            future.result()
        start = perf_counter()
        assert len(list(executors.compute(specs, workers, busy))) == 2 * CPU_BOUND
        return perf_counter() - start

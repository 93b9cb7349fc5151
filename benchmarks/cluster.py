"""What it costs to have fits done by Dask workers: eight over one, with fits that only sleep.

A fit of the default suite takes 0.2 to 0.5 s. One that sleeps uses no core, so that all of the time beyond
the sleep is the way there and back, whatever the machine has.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

from studylib import executors, plan
from studylib.cluster import Cluster, connected
from studylib.params import study_params
from studylib.plan import FitSpec
from studylib.store import Result

ROOT = Path(__file__).parents[1]
WORKERS = 8
SLEEPS = (0.1, 0.25, 0.5)  # s
EACH = 5  # fits that each worker does
ROUNDS = 3


def main() -> None:
    """Print the time of one worker beside that of eight, for each sleep."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        address = stack.enter_context(_scheduler(Path(folder)))
        stack.enter_context(_workers(address, 1, Path(folder)))
        alone = {seconds: _times(address, 1, seconds) for seconds in SLEEPS}
        stack.enter_context(_workers(address, WORKERS - 1, Path(folder)))
        together = {seconds: _times(address, WORKERS, seconds) for seconds in SLEEPS}
    print(f"{WORKERS * EACH} fits that only sleep, median of {ROUNDS} runs each:")
    for seconds in SLEEPS:
        _tell(seconds, alone[seconds], together[seconds])


def _tell(seconds: float, alone: list[float], together: list[float]) -> None:
    one, many = median(alone), median(together)
    low, *_, high = sorted(a / b for a, b in zip(alone, together, strict=True))
    print(f"sleep {seconds} s: 1 worker {one:.2f} s, {WORKERS} workers {many:.2f} s,", end=" ")
    print(f"{one / many:.2f} × ({low:.2f} to {high:.2f}; at least 7.5)", end="; ")
    costs = (1e3 * (one / (WORKERS * EACH) - seconds), 1e3 * (many / EACH - seconds))
    print(f"beyond the sleep, per fit: {costs[0]:.1f} ms with 1 worker, {costs[1]:.1f} ms with {WORKERS}")


def nap(seconds: float, spec: FitSpec) -> Result:  # noqa: ARG001  # called as fits are
    """Sleep, and have something to say."""
    sleep(seconds)
    return Result("ok", metrics={"test_accuracy": 0.5}, curves={"train_loss": [1.0, 0.5]})


def _times(address: str, count: int, seconds: float) -> list[float]:
    specs = _specs(WORKERS * EACH)
    with connected(address) as workers:
        _wait(workers, count)
        list(executors.compute(specs, workers, partial(nap, 0.0)))
        return [_time(specs, workers, seconds) for _ in range(ROUNDS)]


def _time(specs: list[FitSpec], workers: Cluster, seconds: float) -> float:
    start = perf_counter()
    attempts = list(executors.compute(specs, workers, partial(nap, seconds)))
    elapsed = perf_counter() - start
    assert sum(one.result is not None and one.result.status == "ok" for one in attempts) == len(specs)
    return elapsed


def _specs(count: int) -> list[FitSpec]:
    params = study_params("vision", seeds=count // 2, arms={"none": {}, "λ": {"l2": {"strength": 0.1}}})
    return list(plan.plan(params, "0" * 64, "cpu").values())


def _wait(workers: Cluster, count: int) -> None:
    while workers.width < count:
        sleep(0.1)


@contextmanager
def _scheduler(folder: Path) -> Iterator[str]:
    said = folder / "scheduler"
    with _running(said, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"):
        while not (found := re.search(r"Scheduler at:\s+(tcp://\S+)", said.read_text(encoding="utf-8"))):
            sleep(0.1)
        yield found[1]


@contextmanager
def _workers(address: str, count: int, folder: Path) -> Iterator[None]:
    options = (
        "--nthreads",
        "1",
        "--nworkers",
        str(count),
        "--no-dashboard",
        "--local-directory",
        str(folder),
    )
    with _running(folder / f"workers{count}", "worker", address, *options):
        yield


@contextmanager
def _running(said: Path, *words: str) -> Iterator[None]:
    """Keep a Dask command running, in a process group of its own."""
    dask = Path(sys.executable).with_name("dask")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}  # the workers import `nap` from here
    with said.open("wb") as file:
        process = subprocess.Popen([dask, *words], env=environment, stderr=file, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

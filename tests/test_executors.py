"""Who computes fits: the same numbers whoever does, and an honest word on what could not be computed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from functools import cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import torch

from studylib import executors, plan, pool, processes
from studylib.datasets.base import content_hash
from studylib.errors import ParameterError
from studylib.params import study_params
from studylib.pool import Limits, Stopped
from studylib.store import Result

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

    from studylib.executors import Attempt
    from studylib.plan import FitSpec

ARMS = {
    "none": {},
    "noisy": {"dropout": {"rate": 0.5}, "mixup": {"alpha": 0.4}},
    "open": {"l2": {"strength": [1e-3, 1e-2]}},
}


@cache
def specs(**training: Any) -> tuple[FitSpec, ...]:
    """Return the fits of a study that takes a moment: three arms, two seeds."""
    params = study_params(
        "vision",
        dataset={"train": 60, "validation": 60},
        model={"name": "mlp", "hidden": [8]},
        training={"epochs": 2, **training},
        arms=ARMS,
        seeds=2,
    )
    return tuple(plan.plan(params, content_hash(params.dataset), "cpu").values())


def ended(attempts: Iterable[Attempt]) -> dict[str, Result]:
    """Return by key what came of each fit in the end."""
    return {one.spec.key: one.result for one in attempts if one.final and one.result}


def numbers(results: dict[str, Result]) -> dict[str, str]:
    """Return status, metrics and curves by key, as text: equal text means equal to the last bit."""
    return {
        key: repr((result.status, result.reason, dict(result.metrics), dict(result.curves)))
        for key, result in results.items()
    }


def alive(marker: str) -> list[psutil.Process]:
    """Return the processes that have ``marker`` in their environment, this one apart."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get("MARKER") == marker:
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def begun(marker: str) -> list[psutil.Process]:
    """Return those processes as soon as there are some: a new one has no environment for a moment."""
    end = time.monotonic() + 10
    while not (found := alive(marker)) and time.monotonic() < end:
        time.sleep(0.01)
    return found


# What workers are told to do; each process imports this file for itself.


def die_at(spec: FitSpec) -> Result:
    """Train, unless the seed is 1: then die as for want of memory, where the system sends SIGKILL."""
    if spec.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return executors.compute_one(spec)


def die_once(folder: Path, spec: FitSpec) -> Result:
    """Die in the first attempt at each fit, which leaves a file behind; train in the second."""
    trace = folder / spec.key
    if not trace.exists():
        trace.touch()
        os._exit(3)
    return executors.compute_one(spec)


def never_end(spec: FitSpec) -> Result:
    """Train, unless the seed is 1: then go on for ever, with a process of its own beside it."""
    if spec.seed == 1:
        subprocess.run(["sleep", "1000"], check=True)
    return executors.compute_one(spec)


def eat(spec: FitSpec) -> Result:
    """Train, unless the seed is 1: then hold ever more memory, up to 4 GB."""
    if spec.seed == 1:
        held = []
        for _ in range(200):
            held.append(b"x" * 20_000_000)
            time.sleep(0.02)
    return executors.compute_one(spec)


def started(folder: str) -> int:
    """Start a process that would go on for long; return its number."""
    environment = {**os.environ, "MARKER": folder}
    return subprocess.Popen(["sleep", "1000"], env=environment).pid


def test_results_depend_neither_on_the_workers_nor_on_the_order() -> None:
    """One process, two, or this very one, forwards or backwards: the same numbers, bit for bit."""
    here = numbers({spec.key: executors.compute_one(spec) for spec in specs()})
    with pool.local(1) as workers:
        alone = numbers(ended(executors.compute(specs(), workers)))
    with pool.local(2) as workers:
        backwards = numbers(ended(executors.compute(reversed(specs()), workers)))
        again = numbers(ended(executors.compute(specs()[3:], workers)))

    assert here == alone == backwards
    assert again.items() <= here.items()
    assert len(here) == len(specs())
    assert all(text.startswith("('ok'") for text in here.values())


def test_seeds_and_arms_give_numbers_of_their_own() -> None:
    """The test above would hold for a trainer that returned a constant; this one would not."""
    results = [executors.compute_one(spec) for spec in specs()]

    assert len({repr(result.curves["train_loss"]) for result in results}) == len(results)


def test_every_attempt_is_told_as_it_begins_and_as_it_ends() -> None:
    """No more run at once than there are workers, where each is computed by itself, and each ends once."""
    with pool.local(2) as workers:
        attempts = list(executors.compute(specs(), workers, executors.compute_one))
    running: set[str] = set()
    most = 0
    for one in attempts:
        (running.remove if one.result else running.add)(one.spec.key)
        most = max(most, len(running))

    assert running == set()
    assert most == 2
    assert [one.number for one in attempts] == [1] * 2 * len(specs())


def test_a_fit_that_fails_or_diverges_does_not_stop_the_others() -> None:
    """Each is told with its reason; time, memory, host and processor are measured all the same."""
    good = specs()[0]
    failing = replace(good, model={"name": "no_such_model"})
    wild = replace(good, training={**good.training, "optimizer": "sgd", "learning_rate": 1e30})
    with pool.local(1) as workers:
        results = ended(executors.compute([failing, wild, good], workers))

    assert results[good.key].status == "ok"
    assert results[failing.key].status == "failed"
    assert "ParameterError: unknown model 'no_such_model'" in results[failing.key].reason
    assert results[wild.key].status == "diverged"
    assert "learning_rate (now 1e+30)" in results[wild.key].reason
    assert all(result.seconds > 0 and result.peak_mb > 0 for result in results.values())
    assert all(result.host and result.machine for result in results.values())


def test_a_worker_that_dies_takes_one_fit_with_it() -> None:
    """That fit is tried once more in a fresh process, then told as killed; all the others are done."""
    with pool.local(2) as workers:
        attempts = list(executors.compute(specs(), workers, die_at))
    results = ended(attempts)
    killed = [one for one in attempts if one.result and one.result.status == "killed"]

    assert {spec.key for spec in specs() if spec.seed == 1} == {one.spec.key for one in killed}
    assert sorted((one.spec.key, one.number, one.final) for one in killed) == sorted(
        (spec.key, number, number == 2) for spec in specs() if spec.seed == 1 for number in (1, 2)
    )
    assert all(one.result and one.result.reason == pool.DIED for one in killed)
    assert all(results[spec.key].status == "ok" for spec in specs() if spec.seed == 0)


def test_what_dies_once_is_computed_in_the_end(tmp_path: Path) -> None:
    """A worker may be stopped from outside: the second attempt gives the numbers of an undisturbed one."""
    whole = numbers({spec.key: executors.compute_one(spec) for spec in specs()[:3]})
    with pool.local(2) as workers:
        attempts = list(executors.compute(specs()[:3], workers, partial(die_once, tmp_path)))

    assert numbers(ended(attempts)) == whole
    assert {one.number for one in attempts if one.final} == {2}


def test_a_fit_that_never_ends_is_stopped_at_its_limit() -> None:
    """It is told as timed out and not tried again; all the others are done."""
    with pool.local(2, Limits(seconds=6)) as workers:
        results = ended(executors.compute(specs()[:2], workers, never_end))
    slow, fast = specs()[1], specs()[0]

    assert results[slow.key].status == "timed out"
    assert results[slow.key].reason == "it took longer than the limit of 6 s"
    assert results[fast.key].status == "ok"


def test_a_fit_that_eats_memory_is_stopped_at_the_ceiling() -> None:
    """Before it has the machine's: it is told as killed, with the ceiling, and not tried again."""
    with pool.local(1, Limits(memory=1.5e9)) as workers:
        attempts = list(executors.compute(specs()[:2], workers, eat))
    results = ended(attempts)

    assert results[specs()[1].key].status == "killed"
    assert results[specs()[1].key].reason == "its worker passed the memory ceiling of 1.5 GB"
    assert results[specs()[0].key].status == "ok"
    assert {one.number for one in attempts} == {1}


def test_workers_end_at_once_when_the_work_is_given_up(tmp_path: Path) -> None:
    """Ctrl-C does not wait for a fit that takes a minute, and leaves nothing behind, at any depth."""
    marker = str(tmp_path)

    def give_up() -> None:
        with pool.local(2) as workers:
            workers.submit(started, marker).result()
            assert len(begun(marker)) == 1
            attempts = executors.compute(specs(epochs=20_000), workers)
            assert [one.result for one in islice(attempts, 2)] == [None, None]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up()

    assert alive(marker) == []


def test_what_a_dead_worker_had_started_ends_with_it(tmp_path: Path) -> None:
    """A process that a fit started does not outlive the worker."""
    with pool.local(1) as workers:
        pid = workers.submit(started, str(tmp_path)).result()
        with pytest.raises(BrokenExecutor):
            workers.submit(os._exit, 1).result()
        time.sleep(0.2)

        assert pid not in {process.pid for process in alive(str(tmp_path))}


def test_the_pool_goes_on_after_deaths_of_all_its_workers() -> None:
    """Each is replaced, as often as it takes."""
    with pool.local(2) as workers:
        deaths: list[Future[object]] = [workers.submit(os._exit, 1) for _ in range(5)]
        assert all(isinstance(death.exception(), BrokenExecutor) for death in deaths)
        assert workers.submit(pow, 2, 10).result() == 1024


def test_a_pool_that_is_closed_takes_nothing_more() -> None:
    """What was asked for before is done, or cancelled if so wished."""
    with pool.local(1) as workers:
        first = workers.submit(time.sleep, 0.2)
        second = workers.submit(pow, 2, 3)
        workers.shutdown()
        assert first.done()
        assert second.result() == 8
        with pytest.raises(RuntimeError, match="closed"):
            workers.submit(pow, 2, 3)


def test_what_is_stopped_is_told_with_its_reason() -> None:
    """The exception carries the status that a record shows."""
    with pool.local(1, Limits(seconds=3)) as workers, pytest.raises(Stopped) as stopped:
        workers.submit(time.sleep, 100).result()

    assert (stopped.value.status, stopped.value.reason) == (
        "timed out",
        "it took longer than the limit of 3 s",
    )


def test_a_worker_uses_one_thread_and_leaves_ctrl_c_to_its_parent() -> None:
    """A second thread in each worker costs more than it computes."""
    with pool.local(1) as workers:
        assert workers.submit(torch.get_num_threads).result() == 1
        assert workers.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN


def test_auto_is_the_best_device_that_there_is() -> None:
    """A specification names a device class, never "auto"; one that is not there is refused."""
    there = torch.cuda.is_available()

    assert executors.device_class("cpu") == "cpu"
    assert executors.device_class("auto") == ("cuda" if there else "cpu")
    if there:
        assert executors.device_class("cuda") == "cuda"
    else:
        with pytest.raises(ParameterError, match="device: expected a CUDA device, found none"):
            executors.device_class("cuda")


def test_there_is_at_least_one_core() -> None:
    """And no more than the process may use."""
    assert 1 <= processes.cores() <= (os.cpu_count() or 1)

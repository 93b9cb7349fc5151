"""Fits on Dask workers: the same numbers, whoever dies, joins late, or has other versions."""

from __future__ import annotations

import logging
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, final

import psutil
import pytest
from command_line import SMOKE_RUN, environment, studylib
from test_executors import ended, numbers, specs
from test_stacking import Instead
from test_stacks_killed import calm, disturbed, kept, states

from studylib import admission, cluster, computing, executors, pool, study
from studylib.cluster import connected
from studylib.contents import Contents
from studylib.errors import ParameterError, StudyError
from studylib.params import study_params
from studylib.records import Record
from studylib.stacking import stack_of
from studylib.store import Result, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from studylib.plan import FitSpec

DASK = str(Path(sys.executable).with_name("dask"))
TESTS = Path(__file__).parent
# what `dask worker --preload` makes of a worker
OTHER_TORCH = """
import importlib.metadata as metadata
def lie(package, honest=metadata.version): return "1.0" if package == "torch" else honest(package)
metadata.version = lie
"""
NO_STUDYLIB = "import sys; sys.modules['studylib'] = None"


@final
@dataclass
class Dask:
    """A scheduler on loopback and its workers, each command in a process group of its own."""

    folder: Path
    address: str = ""
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def scheduler(self) -> subprocess.Popen[bytes]:
        """Start the scheduler, as README says, and return when it has an address."""
        process = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        said = self.folder / "0"
        until(lambda: "Scheduler at" in said.read_text(encoding="utf-8"))
        [self.address] = re.findall(r"Scheduler at:\s+(tcp://\S+)", said.read_text(encoding="utf-8"))
        return process

    def worker(self, *options: str, preload: str = "") -> subprocess.Popen[bytes]:
        """Start a worker, as README says; ``preload`` is code that spoils it."""
        if preload:
            spoiling = self.folder / f"preload{len(self.running)}.py"
            spoiling.write_text(preload, encoding="utf-8")
            options = (*options, "--preload", str(spoiling))
        threads = () if "--nthreads" in options else ("--nthreads", "1")
        local = ("--no-dashboard", "--local-directory", str(self.folder))
        return self._start("worker", self.address, *threads, *options, *local)

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        own = environment(self.folder / "store") | {
            "PYTHONPATH": f"{TESTS.parent}:{TESTS}",
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1",
        }
        with (self.folder / str(len(self.running))).open("wb") as said:
            process = subprocess.Popen([DASK, *words], env=own, stderr=said, start_new_session=True)
        self.running.append(process)
        return process

    def end(self) -> None:
        """Kill all that was started, and all that it started."""
        for process in reversed(self.running):
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a command and all that it started, whatever group it is in."""
    family = [*psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    for one in family:
        if one.is_running():
            one.kill()
    process.wait()


def until(true: Callable[[], object]) -> None:
    """Wait until ``true()``."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def started(folder: Path) -> Iterator[Dask]:
    """Give a scheduler of its own to a test."""
    dask = Dask(folder)
    try:
        dask.scheduler()
        yield dask
    finally:
        dask.end()


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dask]:
    """Return a scheduler with two workers, of which one offers a GPU."""
    with started(tmp_path_factory.mktemp("dask")) as both:
        both.worker()
        both.worker("--resources", "GPU=1")
        yield both


@pytest.fixture
def whole(dask: Dask) -> str:
    """Return the address of that scheduler, when both of its workers are there."""
    with connected(dask.address, timeout=60) as workers:
        until(lambda: workers.width == 2)
    return dask.address


# What workers are told to do; each imports this file for itself.


def die_once(folder: Path, spec: FitSpec) -> Result:
    """Train, but die at the first sight of seed 1, as by `kill -9`; that leaves a file behind."""
    trace = folder / spec.key
    if spec.seed == 1 and not trace.exists():
        trace.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return executors.compute_one(spec)


def die_at(spec: FitSpec) -> Result:
    """Train, unless the seed is 1: then die."""
    if spec.seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return executors.compute_one(spec)


def never_end(spec: FitSpec) -> Result:
    """Train, unless the seed is 1: then go on for ever."""
    if spec.seed == 1:
        time.sleep(1000)
    return executors.compute_one(spec)


def die_of_many(some: list[FitSpec]) -> list[Result]:
    """Die at a stack of several fits, train one."""
    if len(some) > 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return executors.compute_stack(some)


def tell_where(spec: FitSpec) -> Result:
    """Return the address of the worker, and how many threads a fit gets there."""
    import torch
    from distributed import get_worker

    return Result("ok", get_worker().address, {"threads": torch.get_num_threads(), "seed": spec.seed})


def places(workers: Executor) -> set[str]:
    """Return the addresses of the workers that fits run on, if there are some for each."""
    return {result.reason for result in ended(executors.compute(specs(), workers, tell_where)).values()}


def test_numbers_are_those_of_this_machine_to_the_last_bit(whole: str) -> None:
    """Whoever computes: this process, a pool, or workers that have only what the specification says."""
    with pool.local(2) as workers:
        here = numbers(ended(executors.compute(specs(), workers)))
    with connected(whole) as workers:
        there = numbers(ended(executors.compute(specs(), workers)))
        threads = ended(executors.compute(specs(), workers, tell_where)).values()

    assert here == there
    assert len(here) == len(specs())
    assert {result.metrics["threads"] for result in threads} == {1}


def test_trials_are_shared_out_as_all_fits_are(whole: str, tmp_path: Path) -> None:
    """What TPE proposes and chooses depends neither on who computes nor on who is done first."""
    params = study_params(
        "vision",
        dataset={"train": 60},
        model={"name": "mlp", "hidden": [8]},
        training={"epochs": 2},
        seeds=2,
        arms={"none": {}, "l2": {"l2": {"strength": {"low": 1e-4, "high": 1.0}}}},
        tuning={"method": "tpe", "trials": 12},
    )

    def tuned(workers: Executor, folder: Path) -> Record:
        store = Store(folder)
        with pool.local(1) as readers:
            [one] = study.planned([params], workers, Contents(folder), readers)
        todo = study.rounds([one], store)
        unkept = computing.computed(todo.begin(), store, workers, None, todo.more)
        return study.recorded(one, store, unkept)

    with pool.local(2) as processes, connected(whole) as workers:
        here, there = tuned(processes, tmp_path / "here"), tuned(workers, tmp_path / "there")

    assert here.fits == there.fits
    assert [len(fit.trials) for fit in here.fits] == [0, 0, 12, 12]


def test_a_dataset_with_another_content_there_is_refused(whole: str) -> None:
    """Other packages may be installed on a worker: no number is better than another one."""
    planned = replace(specs()[0], content="0" * 64)
    with connected(whole) as workers:
        [result] = ended(executors.compute([planned], workers)).values()

    assert result.status == "failed"
    assert "the dataset digits holds something else on" in result.reason
    assert (
        f"(sha256 {specs()[0].content[:12]}) than where the fit was planned (000000000000)" in result.reason
    )


def test_a_stack_is_refused_whole_where_its_dataset_holds_something_else(whole: str) -> None:
    """It goes to a worker as one task, and comes back as a result for each fit."""
    planned = [replace(spec, content="0" * 64) for spec in specs()[:2]]
    with connected(whole) as workers:
        results = workers.submit(executors.compute_stack, planned).result()

    assert [one.status for one in results] == ["failed"] * 2
    assert all("holds something else on" in one.reason for one in results)


def test_a_worker_that_dies_of_a_stack_costs_no_fit(whole: str) -> None:
    """Dask gives it up after two workers; then each fit is tried by itself, with the numbers of calm days."""
    fits = specs()[:2]
    undisturbed = numbers({spec.key: executors.compute_one(spec) for spec in fits})
    with connected(whole) as workers:
        doing = Instead(workers, die_of_many)
        doing.width = 1  # so that both are handed out as one task
        attempts = list(executors.compute(fits, doing))

    assert len({stack_of(spec) for spec in fits}) == 1
    assert numbers(ended(attempts)) == undisturbed
    assert [(one.number, one.final) for one in attempts if one.result] == [
        (1, False),
        (1, False),
        (2, True),
        (2, True),
    ]


def test_a_worker_killed_in_the_middle_of_a_stack_costs_no_attempt(whole: str, tmp_path: Path) -> None:
    """Dask has the stack trained elsewhere, from its beginning; each fit is kept once, as on calm days."""
    with connected(whole) as workers:
        store = disturbed(workers, tmp_path)

    assert set(map(tuple, states(store).values())) == {("queued", "running", "ok")}
    assert kept(store) == calm()


def test_fits_for_a_gpu_run_where_one_is_offered_one_at_a_time(whole: str) -> None:
    """Dask counts the device; "auto" asks the worker that offers it, which here has none after all."""
    with connected(whole) as workers:
        on_gpu = [replace(spec, device="cuda") for spec in specs()]
        attempts = list(executors.compute(on_gpu, workers, tell_where))
        anywhere = places(workers)
        device = workers.submit(executors.device_class, "auto").result()

    assert len({result.reason for result in ended(attempts).values()}) == 1
    assert len(anywhere) == 2
    assert [one.result is None for one in attempts] == [True, False] * len(on_gpu)
    assert device == executors.device_class("auto")


def test_where_no_gpu_is_offered_there_is_none() -> None:
    """A CUDA device that a worker does not offer might be shared, so none is used."""
    assert admission.without_gpu("auto") == "cpu"
    with pytest.raises(ParameterError, match="expected a worker that offers a CUDA device, found none"):
        admission.without_gpu("cuda")


def test_a_worker_that_dies_costs_no_fit(whole: str, tmp_path: Path) -> None:
    """Dask does what it was at again: the numbers are those of an undisturbed run."""
    undisturbed = numbers({spec.key: executors.compute_one(spec) for spec in specs()[:3]})
    with connected(whole) as workers:
        attempts = list(executors.compute(specs()[:3], workers, partial(die_once, tmp_path)))

    assert numbers(ended(attempts)) == undisturbed
    assert [path.name for path in tmp_path.iterdir()] == [specs()[1].key]
    assert {one.number for one in attempts} == {1}


def test_a_fit_that_kills_its_workers_is_told_as_killed(whole: str) -> None:
    """Dask gives up after as many as it is told to, is asked once more, and that was it; others are done."""
    with connected(whole) as workers:
        attempts = list(executors.compute(specs()[:3], workers, die_at))
    results = ended(attempts)

    assert [results[spec.key].status for spec in specs()[:3]] == ["ok", "killed", "ok"]
    assert results[specs()[1].key].reason == "2 workers died while it ran, one after the other"
    assert [one.number for one in attempts if one.final and one.spec.seed == 1] == [2]


def test_a_fit_that_never_ends_is_stopped_at_its_limit(whole: str) -> None:
    """It is told as timed out; its worker is started anew, and computes again."""
    with connected(whole, timeout=4) as workers:
        results = ended(executors.compute(specs()[:3], workers, never_end))
        until(lambda: len(places(workers)) == 2)

    assert [results[spec.key].status for spec in specs()[:3]] == ["ok", "timed out", "ok"]
    assert results[specs()[1].key].reason == "it took longer than the limit of 4 s"


def test_a_report_is_trained_on_the_cluster_and_kept_here(whole: str, dask: Dask, tmp_path: Path) -> None:
    """The one store is that of the command; the workers keep no fit and read none."""
    done = studylib(
        *("report", "vision", "--run", "smoke", "--cluster", whole), cwd=tmp_path, store=tmp_path / "store"
    )
    record = Record.load(tmp_path / "reports" / "vision" / "smoke.json")

    assert done.returncode == 0, done.stderr
    assert {fit.status for fit in record.fits} == {"ok"}
    assert {path.stem for path in Store(tmp_path / "store").folder.glob("*/*.json")} == {
        fit.key for fit in record.fits
    }
    assert not list(dask.folder.glob("store/fits/*/*"))


def test_ctrl_c_ends_what_runs_there_and_cancels_what_waits(whole: str, tmp_path: Path) -> None:
    """What is finished is kept; the workers are free for whoever comes next."""
    slow = ("--set", "training.epochs=3000", "--set", "seeds=20")
    with (tmp_path / "told").open("w", encoding="utf-8") as told:
        running = subprocess.Popen(
            [sys.executable, "-m", "studylib", "run", "vision", *SMOKE_RUN, *slow, "--cluster", whole],
            cwd=tmp_path,
            env=environment(tmp_path / "store"),
            stderr=told,
            start_new_session=True,
        )
    ledger = tmp_path / "store" / "ledger.jsonl"
    until(lambda: ledger.exists() and '"running"' in ledger.read_text(encoding="utf-8"))
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    running.wait(3)
    complained = Path(told.name).read_text(encoding="utf-8")
    with connected(whole, timeout=60) as workers:
        until(lambda: len(places(workers)) == 2)

    assert running.returncode == 130
    assert complained.splitlines()[-1] == "studylib: interrupted; what is finished is kept."
    assert "Traceback" not in complained


def test_workers_that_are_not_the_same_are_refused_before_any_work(tmp_path: Path) -> None:
    """Whatever could change a number is told at once, for each worker."""
    with started(tmp_path) as dask:
        dask.worker("--no-nanny", "--nthreads", "2", preload=OTHER_TORCH)
        dask.worker("--no-nanny", preload=NO_STUDYLIB)
        until(lambda: everybody(dask.address) == 2)
        with pytest.raises(ParameterError) as refused, connected(dask.address, timeout=60):
            pass
    heading, columns, *rows, advice = str(refused.value).splitlines()
    found = [tuple(re.split(r" {2,}", row)[1:]) for row in rows]

    assert heading == f"--cluster {dask.address}: workers that would not compute the same numbers."
    assert columns.split() == ["worker", "what", "here", "there"]
    assert {row for row in found if row[0] != "studylib"} == {
        ("torch", version("torch"), "1.0"),
        ("threads", "1", "2"),
        ("nanny", "yes", "no"),
    }
    assert [row[1] for row in found if row[0] == "studylib" and "No module named 'studylib" in row[2]] == [
        "installed"
    ]
    assert advice.endswith(f"dask worker {dask.address} --nthreads 1")


def everybody(address: str) -> int:
    """Return how many workers a scheduler has, whatever they are."""
    from distributed import Client

    with Client(address, set_as_default=False) as client:
        return len(client.nthreads())


def test_a_worker_that_joins_late_is_held_to_the_same(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misfit is told and never used; when the last that fits is gone, the work is given up."""
    monkeypatch.setattr(cluster, "GRACE", 2)
    with started(tmp_path) as dask:
        only = dask.worker("--no-nanny")
        with connected(dask.address) as workers, caplog.at_level(logging.WARNING):
            dask.worker("--no-nanny", preload=OTHER_TORCH)
            until(lambda: caplog.messages)
            used = places(workers)
            kill(only)
            with pytest.raises(StudyError, match="no worker has been left for what waits for 2 s"):
                places(workers)

    assert re.search(r"not used: .*\n.*\ntcp://\S+ +torch +\S+ +1\.0\n", caplog.text)
    assert len(used) == 1


def test_a_scheduler_that_goes_away_is_told(tmp_path: Path) -> None:
    """What is finished is kept, what was on its way is not believed to have failed."""
    with started(tmp_path) as dask:
        dask.worker("--no-nanny")
        done: list[tuple[int, str | None]] = []

        def lose() -> None:
            with connected(dask.address) as workers:
                for one in executors.compute(specs()[:2], workers, never_end):
                    done.append((one.spec.seed, one.result and one.result.status))
                    if one.spec.seed == 1:
                        kill(dask.running[0])

        with pytest.raises(StudyError, match="the scheduler went away"):
            lose()

    assert done == [(0, None), (0, "ok"), (1, None)]


def test_an_address_where_nobody_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what was expected, before any work."""
    monkeypatch.setattr(cluster, "ANSWER", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense", "tcp://no.such.host.invalid:8786"):
        with (
            pytest.raises(ParameterError, match=f"--cluster {address}: expected the address"),
            connected(address),
        ):
            pass


def test_a_scheduler_without_workers_says_how_to_start_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be late by some seconds, and no more."""
    monkeypatch.setattr(admission, "ANSWER", 1)
    with (
        started(tmp_path) as dask,
        pytest.raises(ParameterError, match=rf"none joined .*: dask worker {dask.address} --nthreads 1"),
        connected(dask.address),
    ):
        pass


def test_without_distributed_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ParameterError, match=r"pip install 'studylib\[cluster\]'"), connected("tcp://a:1"):
        pass

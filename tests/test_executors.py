"""Who computes fits: the same numbers whoever does, and an honest word on what could not be computed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import torch

from studylib import executors, plan
from studylib.datasets.base import content_hash
from studylib.errors import ParameterError, StudyError
from studylib.params import study_params

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studylib.plan import FitSpec
    from studylib.store import Result

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


def numbers(computed: Iterable[tuple[FitSpec, Result]]) -> dict[str, str]:
    """Return status, metrics and curves by key, as text: equal text means equal to the last bit."""
    return {
        spec.key: repr((result.status, result.reason, dict(result.metrics), dict(result.curves)))
        for spec, result in computed
    }


def test_results_depend_neither_on_the_workers_nor_on_the_order() -> None:
    """One process, two, or this very one, forwards or backwards: the same numbers, bit for bit."""
    here = numbers((spec, executors.compute_one(spec)) for spec in specs())
    with executors.local(1) as pool:
        alone = numbers(executors.compute(specs(), pool))
    with executors.local(2) as pool:
        backwards = numbers(executors.compute(reversed(specs()), pool))
        again = numbers(executors.compute(specs()[3:], pool))

    assert here == alone == backwards
    assert again.items() <= here.items()
    assert len(here) == len(specs())
    assert all(text.startswith("('ok'") for text in here.values())


def test_seeds_and_arms_give_numbers_of_their_own() -> None:
    """The test above would hold for a trainer that returned a constant; this one would not."""
    results = [executors.compute_one(spec) for spec in specs()]

    assert len({repr(result.curves["train_loss"]) for result in results}) == len(results)


def test_a_fit_that_fails_or_diverges_does_not_stop_the_others() -> None:
    """Each is told with its reason; time and memory are measured all the same."""
    good = specs()[0]
    failing = replace(good, model={"name": "no_such_model"})
    wild = replace(good, training={**good.training, "optimizer": "sgd", "learning_rate": 1e30})
    with executors.local(1) as pool:
        results = {spec.key: result for spec, result in executors.compute([failing, wild, good], pool)}

    assert results[good.key].status == "ok"
    assert results[failing.key].status == "failed"
    assert "ParameterError: unknown model 'no_such_model'" in results[failing.key].reason
    assert results[wild.key].status == "diverged"
    assert "learning_rate (now 1e+30)" in results[wild.key].reason
    assert all(result.seconds > 0 and result.peak_mb > 0 for result in results.values())


def test_a_worker_that_dies_is_told_and_what_was_finished_is_kept() -> None:
    """Every fit has a result: ok if it was done before, else killed, with the likely reason."""
    slow = specs(epochs=60)
    with executors.local(1) as pool:
        computing = executors.compute(slow, pool)
        results = [next(computing)]
        for worker in multiprocessing.active_children():
            os.kill(worker.pid or 0, signal.SIGKILL)
        results += computing
        late = list(executors.compute(slow[:2], pool))

    assert {spec.key for spec, _ in results} == {spec.key for spec in slow}
    assert results[0][1].status == "ok"
    assert {result.status for _, result in results} == {"ok", "killed"}
    assert {result.reason for _, result in results if result.status == "killed"} == {executors.DIED}
    assert [result.status for _, result in late] == ["killed", "killed"]


def test_workers_end_at_once_when_the_work_is_given_up() -> None:
    """Ctrl-C does not wait for a fit that takes a minute, and leaves no process behind."""

    def give_up() -> None:
        with executors.local(2) as pool:
            list(zip(executors.compute([*specs(), *specs(epochs=20_000)], pool), range(1), strict=False))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up()

    assert multiprocessing.active_children() == []


def test_a_pool_that_broke_outside_a_fit_is_an_error_with_its_reason() -> None:
    """Not a traceback of the pool's own."""

    def die() -> None:
        with executors.local(1) as pool:
            pool.submit(os.getpid).result()
            (worker,) = multiprocessing.active_children()
            os.kill(worker.pid or 0, signal.SIGKILL)
            pool.submit(os.getpid).result()

    with pytest.raises(StudyError, match="a worker process died"):
        die()


def test_a_worker_uses_one_thread_and_leaves_ctrl_c_to_its_parent() -> None:
    """A second thread in each worker costs more than it computes."""
    with executors.local(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 1
        assert pool.submit(signal.getsignal, signal.SIGINT).result() == signal.SIG_IGN


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
    assert 1 <= executors.cores() <= (os.cpu_count() or 1)

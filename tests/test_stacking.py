"""Fits that share a stack: which ones, how many at a time, and what one of them costs the others."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import replace
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING, Any, final

import pytest
from test_executors import ended, numbers

from studylib import computing, executors, models, plan, pool
from studylib.costs import MEASURED, OVERHEAD, Cost, cost
from studylib.datasets.base import content_hash
from studylib.ledger import Ledger
from studylib.params import study_params
from studylib.plan import FitSpec
from studylib.pool import Limits, Stopped
from studylib.stacking import Turn, Waiting, stack_of
from studylib.store import Result, Store
from studylib.trainers.stacks import TWINS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from studylib.executors import Attempt

WEAK, STRONG = {"dropout": {"rate": 0.1}}, {"dropout": {"rate": 0.6}}


@cache
def specs(seeds: int = 3) -> tuple[FitSpec, ...]:
    """Return the fits of two arms that differ in a strength."""
    params = study_params(
        "vision",
        dataset={"train": 60, "validation": 60},
        model={"name": "mlp", "hidden": [8]},
        training={"epochs": 2, "optimizer": "sgd"},
        arms={"weak": WEAK, "strong": STRONG},
        seeds=seeds,
    )
    return tuple(plan.plan(params, content_hash(params.dataset), "cpu").values())


def trained(spec: FitSpec, **other: Any) -> FitSpec:
    """Return a fit with other training."""
    return replace(spec, training={**spec.training, **other})


def seeded(count: int) -> list[FitSpec]:
    """Return that many fits of one arm."""
    return [replace(specs()[0], seed=seed) for seed in range(count)]


def seeds_of(turns: Sequence[Turn]) -> list[int]:
    """Return whose turn it is."""
    return [turn.spec.seed for turn in turns]


def taken(waiting: Waiting, idle: int) -> list[list[int]]:
    """Return the seeds of all that wait, stack by stack, as workers take them one after the other."""
    return [seeds_of(waiting.take(idle)) for _ in iter(lambda: len(waiting), 0)]


@final
class Instead(Executor):
    """Workers that do ``work`` where they are asked to compute a stack."""

    def __init__(self, workers: Executor, work: Callable[[list[FitSpec]], list[Result]]) -> None:
        self.width: int = getattr(workers, "width", 1)
        self._workers = workers
        self._work = work

    def submit(self, _: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have the work done."""
        return self._workers.submit(self._work, *args, **kwargs)


@final
class Here(Executor):
    """Does at once, in this process, what it is asked for; it ends with what ``work`` raises."""

    width = 1

    def __init__(self, work: Callable[[list[FitSpec]], list[Result]]) -> None:
        self._work = work

    def submit(self, _: Callable[..., Any], /, *args: Any, **__: Any) -> Future[Any]:
        """Have the work done."""
        future: Future[Any] = Future()
        try:
            future.set_result(self._work(*args))
        except (BrokenExecutor, Stopped) as error:
            future.set_exception(error)
        return future


def deadly(some: list[FitSpec]) -> list[Result]:
    """Train a stack, unless seed 1 is in it: that kills its worker."""
    if any(spec.seed == 1 for spec in some):
        raise BrokenExecutor
    return executors.compute_stack(some)


def greedy(some: list[FitSpec]) -> list[Result]:
    """Take too much for a stack, and with seed 1 for any fit."""
    if len(some) > 1 or some[0].seed == 1:
        raise Stopped("killed", f"{len(some)} at once")
    return executors.compute_stack(some)


# What workers are told to do; each process imports this file for itself.


def deadly_once(trace: Path, some: list[FitSpec]) -> list[Result]:
    """Die at the first stack, as for want of memory; train the others."""
    if not trace.exists():
        trace.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return executors.compute_stack(some)


def nap(seconds: list[float]) -> int:
    """Sleep as often as is asked for."""
    for one in seconds:
        time.sleep(one)
    return len(seconds)


SAME: Mapping[str, Callable[[FitSpec], FitSpec]] = {
    "the seed": partial(replace, seed=7),
    "a strength": partial(replace, regularizers=STRONG),
    "the learning rate": partial(trained, learning_rate=0.5),
}
OTHERS: Mapping[str, Callable[[FitSpec], FitSpec]] = {
    "the dataset": partial(replace, dataset={**specs()[0].dataset, "train": 61}),
    "the model": partial(replace, model={"name": "mlp", "hidden": [9]}),
    "another training": partial(trained, batch_size=7),
    "the optimizer": partial(trained, optimizer="adamw"),
    "another technique": partial(replace, regularizers={"l2": {"strength": 0.1}}),
    "one more technique": partial(replace, regularizers={**WEAK, "l2": {"strength": 0.1}}),
    "the fold": partial(replace, fold={"held": 0, "of": 3}),
    "the code": partial(replace, code="other"),
    "the content": partial(replace, content="other"),
}
ALONE: Mapping[str, Callable[[FitSpec], FitSpec]] = {
    "an unknown model": partial(replace, model={"name": "no_such_model"}),
    "an unknown dataset": partial(replace, dataset={"name": "no_such_dataset"}),
    "an unknown technique": partial(replace, regularizers={"no_such_technique": {}}),
    "a setting out of range": partial(replace, regularizers={"dropout": {"rate": 2.0}}),
    "a layer in the place of a layer": partial(replace, regularizers={"low_rank": {"rank": 2}}),
    "a model that gains nothing": partial(replace, model={"name": "text_cnn"}),
}


@pytest.mark.parametrize("what", SAME)
def test_fits_that_differ_in_numbers_alone_share_a_stack(what: str) -> None:
    """A seed, a strength and a learning rate are numbers along the axis of the replicas."""
    spec = specs()[0]

    assert stack_of(spec)
    assert stack_of(SAME[what](spec)) == stack_of(spec)


@pytest.mark.parametrize("what", OTHERS)
def test_fits_that_differ_in_more_do_not(what: str) -> None:
    """What decides shapes, steps or code makes another stack."""
    assert stack_of(OTHERS[what](specs()[0])) not in {"", stack_of(specs()[0])}


@pytest.mark.parametrize("what", ALONE)
def test_what_cannot_be_stacked_or_cannot_be_at_all_is_by_itself(what: str) -> None:
    """What is wrong with a fit is told when it is computed, and by nobody before."""
    assert stack_of(ALONE[what](specs()[0])) == ""


def test_large_images_are_convolved_one_fit_at_a_time_on_a_processor() -> None:
    """Digits of 8×8 pixels share a stack, and clothes of 28×28 do on a GPU alone."""
    [digits, *_] = specs()
    small = replace(digits, model={"name": "small_cnn", "channels": [2], "hidden": 4})
    large = replace(small, dataset={"name": "fashion_mnist", "train": 100, "validation": 100})

    assert stack_of(small)
    assert not stack_of(large)
    assert stack_of(replace(large, device="cuda"))


def test_a_stack_is_no_wider_than_pays_and_cut_evenly() -> None:
    """Two more than the most make two stacks of one width; nobody is left out or taken twice."""
    most = cost("cpu", "mlp").most
    widths = [len(one) for one in taken(Waiting(seeded(most + 2)), 1)]

    assert widths == [(most + 2) // 2, -(-(most + 2) // 2)]
    assert [len(one) for one in taken(Waiting(seeded(most)), 1)] == [most]
    assert [*chain(*taken(Waiting(seeded(4 * most + 1)), 2))] == [*range(4 * most + 1)]


def test_the_workers_for_whom_there_is_no_other_stack_share_it() -> None:
    """Ten on two workers are five and five, two on two stay together, two stacks are two wholes."""
    waiting = Waiting(seeded(5))
    first, second, third = (seeds_of(waiting.take(idle)) for idle in (3, 2, 1))

    assert (first, second, third) == ([0], [1, 2], [3, 4])
    assert [len(one) for one in taken(Waiting(seeded(10)), 2)] == [5, 5]
    assert [len(one) for one in taken(Waiting(seeded(2)), 2)] == [2]
    both = Waiting([*seeded(4), *(trained(spec, batch_size=7) for spec in seeded(4))])
    assert [len(both.take(2)), len(both.take(1))] == [4, 4]


@pytest.mark.parametrize(
    "own", [Cost(1, 1, 1, 40), Cost(30, 1, 20, 40), Cost(1, 30, 20, 40), *MEASURED["cpu"].values()]
)
def test_no_other_even_cut_is_done_sooner(own: Cost) -> None:
    """Brute force over all cuts of up to 60 fits that are no wider than pays, with up to five workers."""
    for fits in (1, 2, 3, 4, 5, 7, 10, 23, 60):
        for workers in (1, 2, 3, 5):
            ends = {
                cut: -(-cut // workers) * own.step(-(-fits // cut))
                for cut in range(1, fits + 1)
                if -(-fits // cut) <= own.most
            }
            chosen = own.parts(fits, workers)

            assert ends[chosen] == min(ends.values())
            assert chosen == min(cut for cut, end in ends.items() if end == ends[chosen])


def test_a_model_is_stacked_where_that_was_measured_to_be_faster() -> None:
    """The models that say so are those whose wide stacks are; a lone fit pays what two of them do."""
    stacking = {name for name in models.CATALOGUE if "cpu" in models.CATALOGUE.make(name, {}).stacked}

    assert MEASURED["cpu"].keys() == stacking
    for own in MEASURED["cpu"].values():
        assert own.gain > 1
        assert own.step(1) == own.step(TWINS)
        assert own.most == own.widest or own.fixed <= OVERHEAD * own.each * own.most


def test_first_come_first_served_and_mates_with_the_first() -> None:
    """The stack of who waits longest is next, and those who come later stand behind their mates."""
    other = [trained(spec, batch_size=7) for spec in seeded(2)]
    waiting = Waiting([seeded(3)[0], *other, *seeded(3)[1:]])
    waiting.extend([replace(seeded(1)[0], seed=9)])

    assert len(waiting) == 6
    assert taken(waiting, 1) == [[0, 1, 2, 9], [0, 1]]


def test_who_is_tried_again_is_next_and_alone() -> None:
    """Before all that wait, mates of its stack too."""
    waiting = Waiting(seeded(2))
    for turn in reversed([Turn(spec).next(alone=False) for spec in seeded(2)]):
        waiting.again(turn)

    assert len(waiting) == 4
    assert waiting.take(1) == [Turn(seeded(1)[0], 2, 0)]
    assert waiting.take(1) == [Turn(seeded(2)[1], 2, 0)]
    assert seeds_of(waiting.take(1)) == [0, 1]
    assert not waiting


def test_thousands_of_fits_queue_without_looking_at_each_other() -> None:
    """Every fit is asked for its stack once, however many wait."""
    asked: Counter[int] = Counter()

    def parity(spec: FitSpec) -> str:
        asked[spec.seed] += 1
        return "" if spec.seed % 2 else "even"

    found = taken(Waiting(seeded(3000), parity), 1)

    assert sorted(chain(*found)) == list(range(3000))
    assert set(asked.values()) == {1}
    assert sum(len(one) == 1 for one in found) == 1500


def mixed() -> list[FitSpec]:
    """Return two arms of different strengths and three seeds each, of which one diverges."""
    wild = trained(specs()[1], learning_rate=1e30)
    return [specs()[0], wild, *specs()[2:]]


def test_a_stack_computes_what_its_fits_compute_alone() -> None:
    """To the last bit, the message of the one that diverges included: what `verify` computes is the same."""
    assert len({stack_of(spec) for spec in mixed()}) == 1
    together = dict(zip((spec.key for spec in mixed()), executors.compute_stack(mixed()), strict=True))
    alone = {spec.key: executors.compute_one(spec) for spec in mixed()}

    assert numbers(together) == numbers(alone)
    assert [one.status for one in together.values()] == ["ok", "diverged", "ok", "ok", "ok", "ok"]
    assert len({one.seconds for one in together.values()}) == 1


def test_a_stack_that_cannot_begin_is_told_of_the_one_that_is_to_blame() -> None:
    """Its mates are trained all the same."""
    broken = replace(specs()[1], regularizers={"dropout": {"rate": 2.0}})
    results = executors.compute_stack([specs()[0], broken, specs()[2]])

    assert [one.status for one in results] == ["ok", "failed", "ok"]
    assert "rate" in results[1].reason


def test_a_fit_that_kills_its_worker_is_blamed_and_its_mates_are_not() -> None:
    """Each of the stack is tried by itself, and who then kills two workers, alone, was it."""
    attempts = list(executors.compute(specs(), Here(deadly)))
    results = ended(attempts)
    tried = Counter(one.spec.key for one in attempts if one.result)

    assert [results[spec.key].status for spec in specs()] == ["ok", "killed", "ok"] * 2
    assert [tried[spec.key] for spec in specs()] == [2, 3, 2] * 2
    assert {one.number for one in attempts if one.final and one.spec.seed == 1} == {3}


def test_a_fit_that_takes_too_much_alone_is_told_so_and_tried_no_more() -> None:
    """A stack that passes a limit is no verdict on its fits: each is tried by itself, under its own."""
    attempts = list(executors.compute(specs()[:3], Here(greedy)))
    results = ended(attempts)

    assert [results[spec.key].status for spec in specs()[:3]] == ["ok", "killed", "ok"]
    assert results[specs()[1].key].reason == "1 at once"
    assert {one.number for one in attempts if one.final} == {2}


def test_a_worker_killed_in_the_middle_of_a_stack_loses_what_was_in_flight(tmp_path: Path) -> None:
    """The others are tried once, and the numbers are those of an undisturbed run."""
    with pool.local(2) as workers:
        doing = Instead(workers, partial(deadly_once, tmp_path / "trace"))
        attempts = list(executors.compute(specs(), doing))
    tried = Counter(one.spec.key for one in attempts if one.result)
    alone = {spec.key: executors.compute_one(spec) for spec in specs()}

    assert sorted(tried.values()) == [1, 1, 1, 2, 2, 2]
    assert numbers(ended(attempts)) == numbers(alone)


def test_a_stack_may_take_as_long_as_its_fits_one_after_the_other() -> None:
    """A limit of 2 s lets three take 3 s, and one alone not."""
    with pool.local(1, Limits(seconds=2)) as workers:
        assert workers.submit(nap, [0.0] * 30).result() == 30  # the process starts under a limit of 60 s
        assert workers.submit(nap, [1.0] * 3).result() == 3
        with pytest.raises(Stopped, match=r"the limit of 2 s$"):
            workers.submit(nap, [1000.0]).result()


def test_no_more_stacks_run_than_there_are_workers() -> None:
    """Each fit is told as it begins and as it ends, with its stack."""
    with pool.local(2) as workers:
        attempts = list(executors.compute(specs(), workers))

    assert [one.result is None for one in attempts[:6]] == [True] * 6
    assert Counter((one.spec.key, one.final) for one in attempts) == {
        (spec.key, final): 1 for spec in specs() for final in (False, True)
    }


def test_the_ledger_has_a_row_for_each_step_of_each_fit(tmp_path: Path) -> None:
    """The rows of a stack are those of its fits, whose seconds add up to those of the stack."""
    store = Store(tmp_path)
    with pool.local(1) as workers:
        unkept = computing.computed(specs(), store, workers)
    rows = list(Ledger(store.folder.parent).rows())

    assert unkept == {}
    assert [[row.state for row in rows if row.key == spec.key] for spec in specs()] == [
        ["queued", "running", "ok"]
    ] * 6
    assert all(row.seconds > 0 for row in rows if row.state == "ok")


def test_an_interrupted_stack_leaves_a_row_for_each_of_its_fits(tmp_path: Path) -> None:
    """What ran and what waited is told as interrupted; nothing of it is kept."""
    store = Store(tmp_path)

    def interrupt(attempt: Attempt) -> None:
        if attempt.spec.seed == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), pool.local(1) as workers:
        computing.computed([trained(one, epochs=20_000) for one in specs()], store, workers, interrupt)
    rows = list(Ledger(store.folder.parent).rows())

    assert Counter(row.state for row in rows if row.state in {"interrupted", "ok"}) == {"interrupted": 6}

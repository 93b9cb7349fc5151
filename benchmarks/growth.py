"""What a study of n small fits costs, from 10 to 10 000 of them: beside training, and with it; one thread.

The whole way is timed: parameters to specifications and keys, a look into the store, the stacks, two files
written whole and three rows in the ledger for each fit, the record, and the same again, when everything is
known already. The fits are linear models of few patients, trained for one epoch, five strengths of each
seed; in the first table they are empty. All of it is done in this process, and seconds are of the processor:
what a disk takes to answer is left out. The numbers of fits are interleaved. What grows with the number of
fits would show as a bend: each of 10 000 would cost more than each of 1000.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import process_time
from typing import TYPE_CHECKING, Any, final

from benchmarks._asked import LINE, PLANNED, TRAINED
from benchmarks._figures import figure, one_thread
from studylib import study
from studylib.computing import computed
from studylib.contents import Contents
from studylib.executors import compute_stack
from studylib.params import study_params
from studylib.speeds import Figure, Point, number
from studylib.store import Result, Store

if TYPE_CHECKING:
    from studylib.params import StudyParams
    from studylib.plan import FitSpec
    from studylib.records import Record

    Work = Callable[[Sequence[FitSpec]], list[Result]]

COUNTS = (10, 30, 100, 300, 1_000, 3_000, 10_000)
FEW, MANY = 1_000, 10_000  # between which a bend would show
ROUNDS, STRENGTHS = 3, 5


def main() -> list[Figure]:
    """Print the cost of each number of fits and its parts, and return the figures."""
    one_thread()
    works: dict[str, Work] = {PLANNED: empty, TRAINED: compute_stack}
    for work in works.values():
        _study(COUNTS[0], work)  # it warms up
    taken: dict[str, dict[int, list[Parts]]] = {name: {n: [] for n in COUNTS} for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            for count in COUNTS:
                taken[name][count].append(_study(count, work))
    return [_figure(name, own) for name, own in taken.items()]


def _figure(work: str, taken: dict[int, list[Parts]]) -> Figure:
    each = {n: [1e3 * parts.whole / n for parts in rounds] for n, rounds in taken.items()}
    points = [Point(n, tuple(parts.whole for parts in rounds)) for n, rounds in taken.items()]
    for point in points:
        spread = f"{min(point.seconds):.3f} to {max(point.seconds):.3f}"
        told = f"{median(each[point.fits]):.2f} ms each"
        print(f"{work}: {point.fits:>6} fits, {point.typical:7.3f} s ({spread}), {told}")
    note = f"Of {number(MANY)} fits each takes {_parts(taken[MANY])}."
    found = figure(work, LINE, "ms/fit", each[MANY], each[FEW], note=note)
    print(f"{work}: {found.ratio:.2f} × as much for each of the most as of a tenth of them. {note}")
    return replace(found, points=tuple(points))


def _parts(rounds: Sequence[Parts]) -> str:
    names = rounds[0].seconds
    each = {name: 1e3 * median(one.seconds[name] for one in rounds) / MANY for name in names}
    return ", ".join(f"{ms:.2f} ms to {name}" for name, ms in each.items())


@final
@dataclass(frozen=True)
class Parts:
    """Seconds of the processor, by what they went to."""

    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def whole(self) -> float:
        """The sum."""
        return sum(self.seconds.values())

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add what the body takes."""
        start = process_time()
        yield
        self.seconds[name] = process_time() - start


def _study(count: int, work: Work) -> Parts:
    """Do a study of so many fits in a store of its own, and then again."""
    parts, here = Parts(), Here(work)
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        with parts.timed("plan"):
            params = _params(count)
            [one] = study.planned([params], here, Contents(Path(folder)))
        with parts.timed("look for"):
            todo = study.rounds([one], store)
            specs = todo.begin()
        with parts.timed("compute, keep and enter"):
            unkept = computed(specs, store, here, more=todo.more)
        with parts.timed("record"):
            first = study.recorded(one, store, unkept)
            first.save(Path(folder, "first.json"))
        with parts.timed("find again"):
            again = _resumed(params, here, Path(folder))
    assert len(specs) == count == sum(fit.status == "ok" for fit in again.fits)
    assert first == again
    return parts


def _resumed(params: StudyParams, here: Here, folder: Path) -> Record:
    store = Store(folder)
    [one] = study.planned([params], here, Contents(folder))
    assert study.rounds([one], store).begin() == []
    return study.recorded(one, store, {})


def _params(count: int) -> StudyParams:
    return study_params(
        "tabular",
        dataset={"name": "diabetes"},
        model={"name": "linear"},
        metric="test_rmse",
        training={"epochs": 1, "batch_size": 100, "optimizer": "adamw"},
        arms={f"λ {k}": {"l2": {"strength": 1e-4 * (k + 1)}} for k in range(STRENGTHS)},
        seeds=count // STRENGTHS,
    )


def empty(specs: Sequence[FitSpec]) -> list[Result]:
    """Train nothing."""
    return [Result("ok", metrics={"test_accuracy": 0.5}, curves={"train_loss": [1.0]}) for _ in specs]


@final
class Here(Executor):
    """Does everything at once, in this process; fits are left to ``work``."""

    width = 1

    def __init__(self, work: Work) -> None:
        self._work = work

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Call it, and return what came of it."""
        done: Future[Any] = Future()
        done.set_result((self._work if fn is compute_stack else fn)(*args, **kwargs))
        return done

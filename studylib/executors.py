"""Fits, computed by any ``concurrent.futures.Executor`` that goes on after a worker died."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from time import perf_counter
from typing import Any, TypeVar, final

from studylib import datasets, memory, models, processes
from studylib.components import Catalogue, Component, build
from studylib.datasets._own import OwnData
from studylib.datasets.base import Dataset, content_hash
from studylib.errors import Divergence, ParameterError, StudyError
from studylib.plan import FitSpec
from studylib.pool import DIED, Stopped
from studylib.stacking import Turn, Waiting
from studylib.store import Result
from studylib.trainers.base import Outcome, Training

C = TypeVar("C", bound=Component)

# by itself: a worker may die of what its neighbours do; a fit that kills two, alone, is to blame itself
ATTEMPTS = 2


@final
@dataclass(frozen=True)
class Attempt:
    """A step of an attempt at a fit.

    Attributes:
        number: 1, or more: after a worker died of it, or of another one of its stack.
        result: what came of it; None as it begins.
        final: whether that is the end: what ends otherwise is tried once more, and by itself.
    """

    spec: FitSpec
    number: int
    result: Result | None = None
    final: bool = False


def compute(
    specs: Iterable[FitSpec],
    executor: Executor,
    train: Callable[[FitSpec], Result] | None = None,
    more: Callable[[Attempt], Iterable[FitSpec]] = lambda _: (),
) -> Iterator[Attempt]:
    """Yield each attempt as it begins, and again as it ends; every fit has a final one.

    No more stacks are handed out than can be computed at once (``executor.width``, else the cores of this
    machine, looked at anew each time: workers of a cluster come and go), so that what is said to run does.

    Args:
        specs: what to compute.
        executor: who computes it.
        train: what computes one of them; if not given, ``compute_stack`` those of a stack at a time.
        more: says what else is to be computed, now that one has come to its end.

    Raises:
        StudyError: the executor says that it has nobody left who could compute.
    """
    waiting = Waiting(specs, lambda _: "") if train else Waiting(specs)
    work = partial(_each, train) if train else compute_stack
    running: dict[Future[list[Result]], list[Turn]] = {}
    ended: list[Attempt] = []
    while waiting or running or ended:
        begun = []
        # before what has ended is stored: nobody waits for a disk
        try:
            while waiting and len(running) < _width(executor):
                some = waiting.take(_width(executor) - len(running))
                running[executor.submit(work, [turn.spec for turn in some])] = some
                begun += [Attempt(turn.spec, turn.attempt) for turn in some]
        except StudyError:
            yield from ended
            raise
        yield from ended
        yield from begun
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        ended = []
        for future in sorted(done, key=_fails):  # what is finished is told before what ends it all
            some = running.pop(future)
            try:
                attempts = _ended(future, some)
            except StudyError:
                yield from ended
                raise
            ended += attempts
            for turn, one in reversed([*zip(some, attempts, strict=True)]):
                if not one.final:
                    waiting.again(turn.next(alone=len(some) == 1))
        for one in ended:
            waiting.extend(more(one) if one.final else ())


def _fails(future: Future[list[Result]]) -> bool:
    error = future.exception()
    return isinstance(error, StudyError) and not isinstance(error, Stopped)


def _width(executor: Executor) -> int:
    return getattr(executor, "width", None) or processes.cores()


def _ended(future: Future[list[Result]], some: Sequence[Turn]) -> list[Attempt]:
    try:
        results = future.result()
        return [
            Attempt(turn.spec, turn.attempt, result, final=True)
            for turn, result in zip(some, results, strict=True)
        ]
    except Stopped as stopped:
        # of a stack nobody knows who it was: each is tried by itself
        result, final = Result(stopped.status, stopped.reason), len(some) == 1
    except BrokenExecutor as error:
        last = len(some) == 1 and some[0].alone + 1 == ATTEMPTS
        result, final = Result("killed", str(error) or DIED), last
    except StudyError:
        raise  # there is nobody left who computes: what goes wrong in a fit comes back as its result
    except Exception as error:  # noqa: BLE001  # it came on the way there or back, and belongs to this fit
        result, final = Result("failed", _told(error)), True
    return [Attempt(turn.spec, turn.attempt, result, final=final) for turn in some]


def fits_of(args: Iterable[object]) -> list[FitSpec]:
    """Return the fits that a call with ``args`` is about, one by one or in lists."""
    things = [thing for one in args for thing in (one if isinstance(one, list) else [one])]
    return [thing for thing in things if isinstance(thing, FitSpec)]


def _each(train: Callable[[FitSpec], Result], specs: Sequence[FitSpec]) -> list[Result]:
    return [train(spec) for spec in specs]


def compute_stack(specs: Sequence[FitSpec]) -> list[Result]:
    """Train and measure fits of one stack, or one fit; results say what happened, also when it went wrong."""
    processes.one_thread()
    start = perf_counter()
    results = _results(specs)
    seconds, peak = (perf_counter() - start) / len(specs), processes.peak_mb()
    host, kind = platform.node(), processes.machine(specs[0].device)
    return [replace(one, seconds=seconds, peak_mb=peak, host=host, machine=kind) for one in results]


def compute_one(spec: FitSpec) -> Result:
    """Train and measure one fit; the result says what happened, also when it went wrong."""
    return compute_stack([spec])[0]


def _results(specs: Sequence[FitSpec]) -> list[Result]:
    if len(specs) == 1:
        return [_result(specs[0])]
    try:
        return [
            _ok(one) if isinstance(one, Outcome) else Result("diverged", str(one)) for one in _outcomes(specs)
        ]
    except Exception:  # noqa: BLE001  # whatever it is, it is told of the fit that it belongs to
        half = len(specs) // 2  # in the other half there may be none
        return [*_results(specs[:half]), *_results(specs[half:])]


def _result(spec: FitSpec) -> Result:
    try:
        return _ok(_outcome(spec))
    except Divergence as error:
        return Result("diverged", str(error))
    except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to this fit and is told there
        return Result("failed", _told(error))


def _ok(outcome: Outcome) -> Result:
    seconds = outcome.seconds_to_lowest
    return Result("ok", "", outcome.metrics, outcome.curves, seconds_to_lowest=seconds, score=outcome.score)


def _outcomes(specs: Sequence[FitSpec]) -> list[Outcome | Divergence]:
    from studylib.trainers.fitting import Case, fits

    cases = [
        Case(spec.regularizers, build(Training, spec.training, "training"), spec.seed, spec.fold)
        for spec in specs
    ]
    dataset, model, device = _dataset(specs[0]), _named(models.CATALOGUE, specs[0].model), specs[0].device
    return fits(dataset, model, cases, device, memory.free(device))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _outcome(spec: FitSpec) -> Outcome:
    from studylib.trainers.fitting import fit

    return fit(
        _dataset(spec),
        _named(models.CATALOGUE, spec.model),
        spec.regularizers,
        build(Training, spec.training, "training"),
        spec.seed,
        spec.device,
        spec.fold,
    )


def _dataset(spec: FitSpec) -> Dataset:
    """Return the dataset of a fit.

    Raises:
        StudyError: it is of one's own, and holds something else than when the fit was planned.
    """
    dataset = _named(datasets.CATALOGUE, spec.dataset)
    if isinstance(dataset, OwnData) and _content(dataset, tuple(dataset.origin())) != spec.content:
        raise StudyError(f"{dataset.path}: the file was changed since this run began. Start it again.")
    return dataset


@lru_cache(maxsize=4)
def _content(dataset: OwnData, origin: tuple[str, ...]) -> str:  # noqa: ARG001  # by which it is remembered
    return content_hash(dataset)


def _named(catalogue: Catalogue[C], settings: Mapping[str, Any]) -> C:
    return catalogue.make(settings["name"], {key: own for key, own in settings.items() if key != "name"})


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

"""How a benchmark is timed, and the figures that it returns: rows of ``benchmarks/measured.json``.

The ``main`` of a benchmark prints, and returns its figures, one for each row of ``_asked.py`` that it
measures; one that measures none returns nothing.

    return raced(WORDS, "model-steps/s", {"ours": Contestant(…), ONE_BY_ONE: Contestant(…)})
    return [figure(MANY_DIGITS, SAME_GPU, "fits/s", ours, theirs, machine=gpu())]
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median
from time import process_time
from typing import final

from benchmarks._asked import ASKED, POOL, SCIKIT_LEARN, SKORCH
from studylib import dates, processes
from studylib.speeds import Figure, number

PEERS = {SKORCH: "skorch", SCIKIT_LEARN: "scikit-learn", POOL: "papermill"}  # their packages
ROUNDS = 3


@final
@dataclass(frozen=True)
class Contestant:
    """What is timed, and how much of the unit it does: steps, fits, images."""

    run: Callable[[], object]
    does: float


def one_thread() -> None:
    """Hold this process, and what it starts, to one thread; before torch computes anything."""
    os.environ.update(processes.ONE_THREAD)
    processes.one_thread()


def raced(
    work: str,
    unit: str,
    contestants: Mapping[str, Contestant],
    rounds: int = ROUNDS,
    clock: Callable[[], float] = process_time,
) -> list[Figure]:
    """Time all in turn, round by round, ours first; print the speeds, return a figure for each row asked.

    The first round warms up and does not count. The clock is of the processor, if none is given.
    """
    speeds: dict[str, list[float]] = {name: [] for name in contestants}
    for round_ in range(rounds + 1):
        for name, one in contestants.items():
            start = clock()
            one.run()
            if round_:
                speeds[name].append(one.does / (clock() - start))
    ours = next(iter(speeds.values()))
    rows = {one.against for one in ASKED if one.work == work}
    for name, values in speeds.items():
        told(work, name, unit, ours, values)
    return [figure(work, name, unit, ours, values) for name, values in speeds.items() if name in rows]


def told(work: str, name: str, unit: str, ours: Sequence[float], theirs: Sequence[float]) -> None:
    """Print a speed, its spread over the rounds, how many times it ours is, and what is asked."""
    asked = [one for one in ASKED if (one.work, one.against) == (work, name)]
    wanted = "".join(f" ({one.sense} {one.bar:g})" for one in asked)
    spread = f"{number(min(theirs))} to {number(max(theirs))}"
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"{work}, {name:<32} {number(median(theirs)):>6} {unit} ({spread}); ours {ratio:.2f} ×{wanted}")


def figure(
    work: str,
    against: str,
    unit: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    *,
    machine: str = "",
    note: str = "",
) -> Figure:
    """Return the figure of a row from what each round measured.

    Args:
        work, against: a row of ``ASKED``.
        unit: of the numbers: a speed such as ``fits/s``, or ``s``.
        ours, theirs: one number for each round; their ratio is that of ours over theirs. Where ``at least``
            is asked these are speeds, where ``at most`` is asked seconds.
        machine: what it ran on, if not on this processor: ``gpu()``.
        note: what else is to be said, as sentences.
    """
    peer = PEERS.get(against)
    return Figure(
        work=work,
        against=against,
        unit=unit,
        ours=median(ours),
        theirs=median(theirs),
        ratios=tuple(a / b for a, b in zip(ours, theirs, strict=True)),
        machine=machine or processor(),
        versions={name: version(name) for name in ("torch", *([peer] if peer else []))},
        day=dates.today(),
        note=note,
    )


def processor() -> str:
    """Return the kind of processor that this runs on, and how many of its cores."""
    return f"{processes.machine()}, {processes.cores()} cores"


def gpu() -> str:
    """Return the kind of GPU that torch computes on."""
    import torch

    return torch.cuda.get_device_name()

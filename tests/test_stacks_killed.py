"""Stacks that end before their time: what was finished is kept, what was in flight is trained again."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from test_executors import numbers
from test_stacking import Instead, seeded, trained

from studylib import computing, executors, pool
from studylib.ledger import Ledger
from studylib.store import Result, Store

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from studylib.executors import Attempt
    from studylib.plan import FitSpec

SHORT, LONG = 2, 250  # epochs
QUICK, SLOW = ([trained(spec, epochs=epochs) for spec in seeded(3)] for epochs in (SHORT, LONG))
MIDDLE = 0.1  # seconds of the processor, of about four times as many that a long stack takes


def kill_later() -> None:
    """Kill this process when it has worked for a while."""
    end = time.process_time() + MIDDLE
    while time.process_time() < end:
        time.sleep(0.005)
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_the_middle(trace: Path, some: list[FitSpec]) -> list[Result]:
    """Train a stack; the first long one is killed on the way. Each process imports this file for itself."""
    if some[0].training["epochs"] == LONG and not trace.exists():
        trace.touch()
        Thread(target=kill_later, daemon=True).start()
    return executors.compute_stack(some)


def states(store: Store) -> dict[str, list[str]]:
    """Return by key what the ledger says happened to each fit, in order."""
    found: dict[str, list[str]] = {}
    for row in Ledger(store.folder.parent).rows():
        found.setdefault(row.key, []).append(row.state)
    return found


def missing(store: Store) -> list[FitSpec]:
    """Return the fits that the store does not know."""
    return [spec for spec in (*QUICK, *SLOW) if store.get(spec) is None]


def kept(store: Store) -> dict[str, str]:
    """Return the numbers of all fits in the store."""
    return numbers({spec.key: found for spec in (*QUICK, *SLOW) if (found := store.get(spec))})


@cache
def calm() -> dict[str, str]:
    """Return the numbers of all fits where nothing happens."""
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for some in (QUICK, SLOW):
            for spec, found in zip(some, executors.compute_stack(some), strict=True):
                store.put(spec, found)
        return kept(store)


def disturbed(workers: Executor, folder: Path) -> Store:
    """Return the store of both stacks, the second of which is killed once in the middle."""
    store = Store(folder / "store")
    doing = Instead(workers, partial(die_in_the_middle, folder / "trace"))
    doing.width = 1
    assert computing.computed([*QUICK, *SLOW], store, doing) == {}
    assert (folder / "trace").exists()
    return store


def test_a_worker_killed_in_the_middle_of_training_loses_that_stack_alone(tmp_path: Path) -> None:
    """Its fits are trained by themselves then, with the numbers of calm days; no other is trained again."""
    with pool.local(1) as workers:
        store = disturbed(workers, tmp_path)
    found = states(store)

    assert [found[spec.key] for spec in QUICK] == [["queued", "running", "ok"]] * 3
    assert [found[spec.key] for spec in SLOW] == [["queued", "running", "killed", "running", "ok"]] * 3
    assert kept(store) == calm()


def test_what_is_interrupted_and_gone_on_with_trains_nothing_twice(tmp_path: Path) -> None:
    """Ctrl-C in the middle of the second stack: the first is kept, and of the second each is trained once."""
    store = Store(tmp_path)

    def interrupt(attempt: Attempt) -> None:
        if attempt.spec.training["epochs"] == LONG:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), pool.local(1) as workers:
        computing.computed([*QUICK, *SLOW], store, workers, interrupt)
    assert missing(store) == SLOW

    with pool.local(1) as workers:
        computing.computed(missing(store), store, workers)
    found = states(store)

    assert [found[spec.key] for spec in QUICK] == [["queued", "running", "ok"]] * 3
    assert {Counter(found[spec.key])["ok"] for spec in SLOW} == {1}
    assert [found[spec.key][-3:] for spec in SLOW] == [["queued", "running", "ok"]] * 3
    assert kept(store) == calm()

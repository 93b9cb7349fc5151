"""Fits, computed into the store, with a row in the ledger for each step of each attempt."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import replace

from studylib import executors, plan
from studylib.executors import Attempt
from studylib.ledger import Ledger, Row, row
from studylib.plan import FitSpec
from studylib.secrets import Secrets
from studylib.store import Result, Store

Progress = Callable[[Attempt], None]


def computed(
    specs: Sequence[FitSpec],
    store: Store,
    executor: Executor,
    progress: Progress | None = None,
    more: Callable[[Attempt], Sequence[FitSpec]] = lambda _: (),
) -> dict[str, Result]:
    """Compute ``specs``, and what each lets follow, into the store; return by key what it does not keep.

    Those are what failed, timed out or was killed. The ledger gets a row for each step of each attempt.
    """
    ledger = Ledger(store.folder.parent)
    left: dict[str, tuple[FitSpec, int]] = {}
    unkept = {}

    def queued(some: Sequence[FitSpec]) -> Sequence[FitSpec]:
        ledger.append(row(spec, "queued") for spec in some)
        left.update({spec.key: (spec, 1) for spec in some})
        return some

    try:
        steps = executors.compute(queued(specs), executor, more=lambda ended: queued(more(ended)))
        for attempt in map(_scrubbed, steps):
            spec, result = attempt.spec, attempt.result
            if result and attempt.final:
                plan.refuse_edited(spec)
                store.put(spec, result)
                unkept.update({} if result.status in {"ok", "diverged"} else {spec.key: result})
                left.pop(spec.key, None)  # equal fits may run at once, and end twice
            ledger.append([_row(attempt)])
            left.update({} if attempt.final else {spec.key: (spec, attempt.number)})
            if progress:
                progress(attempt)
    except BaseException:
        with suppress(OSError):  # the disk may be full: that is told by who raised it
            ledger.append(row(spec, "interrupted", attempt=number) for spec, number in left.values())
        raise
    return unkept


def _scrubbed(attempt: Attempt) -> Attempt:
    """Return an attempt whose reason shows no secret: what a server says of a wrong token may quote it."""
    if not (attempt.result and attempt.result.reason):
        return attempt
    secrets = Secrets.among({name: getattr(attempt.spec, name) for name in ("dataset", "model", "training")})
    return replace(attempt, result=replace(attempt.result, reason=secrets.scrubbed(attempt.result.reason)))


def _row(attempt: Attempt) -> Row:
    result = attempt.result
    if result is None:
        return row(attempt.spec, "running", attempt=attempt.number)
    return row(
        attempt.spec,
        result.status,
        attempt=attempt.number,
        reason=result.reason,
        host=result.host or platform.node(),
        seconds=result.seconds,
        peak_mb=result.peak_mb,
    )

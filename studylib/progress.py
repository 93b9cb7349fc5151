"""How far the fits are: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from studylib.plan import FitSpec
from studylib.store import Result

if TYPE_CHECKING:
    from rich.console import Console

LINES = 10  # how many lines a log gets


@contextmanager
def showing(total: int, console: Console) -> Iterator[Callable[[FitSpec, Result], None]]:
    """Yield the function that is told of each fit that is done, out of ``total``."""
    with (_bar if console.is_terminal else _lines)(total, console) as tell:
        yield tell


@contextmanager
def _bar(total: int, console: Console) -> Iterator[Callable[[FitSpec, Result], None]]:
    now = TextColumn("{task.fields[now]}")
    columns = (TextColumn("fits"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), now)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total, now="")
        yield lambda spec, _: progress.update(task, advance=1, now=_described(spec))


@contextmanager
def _lines(total: int, console: Console) -> Iterator[Callable[[FitSpec, Result], None]]:
    start, done = perf_counter(), 0

    def tell(_spec: FitSpec, _result: Result) -> None:
        nonlocal done
        done += 1
        if done == total or done * LINES // total > (done - 1) * LINES // total:
            console.print(f"{done} of {total} fits, {perf_counter() - start:.0f} s", highlight=False)

    yield tell


def _described(spec: FitSpec) -> str:
    return f"{spec.dataset['name']}: {', '.join(spec.regularizers) or 'none'}"

"""How far a large file is read: a bar on a terminal, lines in a log, nothing in a worker or a notebook."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

LARGE = 20_000_000  # bytes from which somebody waits long enough to wonder
Tell = Callable[[int], None]


@contextmanager
def loading(name: str, size: int) -> Iterator[Tell]:
    """Yield the function that is told how many of the ``size`` bytes of the file ``name`` are read."""
    worker = multiprocessing.parent_process() is not None or "ipykernel" in sys.modules
    if size < LARGE or worker:
        yield _nothing
        return
    from rich.console import Console

    console = Console(stderr=True)
    with (_bar if console.is_terminal else _lines)(name, size, console) as tell:
        yield tell


def _nothing(_done: int) -> None:
    return


@contextmanager
def _bar(name: str, size: int, console: Console) -> Iterator[Tell]:
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading {task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name.replace("[", r"\["), total=size)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def _lines(name: str, size: int, console: Console) -> Iterator[Tell]:
    start, told = perf_counter(), 0

    def tell(done: int) -> None:
        nonlocal told
        tenth = done * 10 // size
        if tenth > told:
            told = tenth
            words = f"reading {name}: {tenth * 10} % of {size / 1e6:,.0f} MB, {perf_counter() - start:.0f} s"
            console.print(words, highlight=False, markup=False)

    yield tell

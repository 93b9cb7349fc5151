"""How far the fits are: a bar on a terminal and in a notebook, plain lines in a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, final

from studylib.executors import Attempt

if TYPE_CHECKING:
    from rich.console import Console

    Tell = Callable[[Attempt], None]

LINES = 10  # how many lines a log gets
OFTEN = 0.2  # seconds between two looks of a notebook's bar
MOST = 4  # arms that are named


@contextmanager
def showing(
    total: Callable[[], int], label: Callable[[str], str], console: Console | None = None
) -> Iterator[Tell]:
    """Yield the function that is told of each attempt at one of ``total()`` fits.

    Args:
        total: how many fits there are, as far as that can be said; nothing is shown of none.
        label: what a fit is of, by its key; if it says nothing, the fit speaks for itself.
        console: where a terminal or a log is shown; standard error if not given.
    """
    count = _Count(total, label)
    if not count.total:
        yield count.tell
    elif _in_notebook():
        with _cell(count) as tell:
            yield tell
    else:
        from rich.console import Console

        console = console or Console(stderr=True)
        with (_bar if console.is_terminal else _lines)(count, console) as tell:
            yield tell


@final
class _Count:
    """How many fits are done, what is running, and since when."""

    def __init__(self, total: Callable[[], int], label: Callable[[str], str]) -> None:
        self.done = 0
        self._total = total
        self._label = label
        self._running: dict[str, str] = {}
        self._start = perf_counter()

    def tell(self, attempt: Attempt) -> None:
        key = attempt.spec.key
        if attempt.result is None:
            self._running[key] = self._label(key) or attempt.spec.label
        else:
            self._running.pop(key, None)
            self.done += attempt.final

    @property
    def total(self) -> int:
        return self._total()

    @property
    def seconds(self) -> float:
        return perf_counter() - self._start

    @property
    def left(self) -> str:
        """Time left if the others take as long as those that are done."""
        if not self.done:
            return ""
        return f"{self.seconds / self.done * (self.total - self.done):.0f} s left"

    @property
    def arms(self) -> str:
        """The arms that are running."""
        names = list(dict.fromkeys(self._running.values()))
        more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
        return ", ".join(names[:MOST]) + more


@contextmanager
def _bar(count: _Count, console: Console) -> Iterator[Tell]:
    from rich.markup import escape as plain
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    arms = TextColumn("{task.fields[arms]}")
    columns = (TextColumn("fits"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), arms)
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=count.total, arms="")

        def tell(attempt: Attempt) -> None:
            count.tell(attempt)
            progress.update(task, completed=count.done, total=count.total, arms=plain(count.arms))

        yield tell


@contextmanager
def _lines(count: _Count, console: Console) -> Iterator[Tell]:
    told = 0

    def tell(attempt: Attempt) -> None:
        nonlocal told
        count.tell(attempt)
        share = count.done * LINES // max(1, count.total)
        if share > told:
            told = share
            words = f"{count.done} of {count.total} fits, {count.seconds:.0f} s"
            console.print(words, highlight=False, markup=False)

    yield tell


@contextmanager
def _cell(count: _Count) -> Iterator[Tell]:
    """Show a bar in the output of the cell, and leave nothing of it there: an output is not of a clock."""
    seen: Any = import_module("IPython.display")  # whose functions are not typed
    shown = seen.display(seen.HTML(""), display_id=True)
    last = 0.0

    def tell(attempt: Attempt) -> None:
        nonlocal last
        count.tell(attempt)
        if count.seconds - last > OFTEN:
            last = count.seconds
            bar = f'<progress value="{count.done}" max="{count.total}"></progress>'
            words = f"{count.done} of {count.total} fits, {count.left} {count.arms}"
            shown.update(seen.HTML(f"{bar} {escape(words)}"))

    yield tell
    seen.clear_output()


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"

"""Locks: one writer at a time, who is named, and whose death frees what he held."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from studylib import locks
from studylib.errors import StudyError

HOLD = """
import sys, time
from pathlib import Path
from studylib import locks
with locks.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(1000)
"""


def holder(page: Path) -> subprocess.Popen[str]:
    """Return a process that holds ``page``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(page)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    """Process, machine, since when and doing what; and what to do about it."""
    page = tmp_path / "default.html"
    with holder(page) as process:
        try:
            with pytest.raises(StudyError) as refused, locks.held(page):
                pass
        finally:
            process.kill()

    assert f"{page}: it is being written by process {process.pid} on " in str(refused.value)
    assert "Wait until it is done, or name another folder with --out." in str(refused.value)


def test_death_frees_what_was_held(tmp_path: Path) -> None:
    """Nobody has to remove a file by hand after a crash."""
    page = tmp_path / "default.html"
    with holder(page) as process:
        process.kill()
    with locks.held(page):
        pass


def test_what_is_not_held_any_more_can_be_held_again(tmp_path: Path) -> None:
    """Also after an error inside; other pages are free all the time."""
    with pytest.raises(ZeroDivisionError), locks.held(tmp_path / "a.html"), locks.held(tmp_path / "b.html"):
        raise ZeroDivisionError
    with locks.held(tmp_path / "a.html"):
        pass


def test_what_takes_a_moment_is_waited_for(tmp_path: Path) -> None:
    """The second begins when the first has ended."""
    order: list[str] = []
    begun = Event()

    def first() -> None:
        with locks.awaited(tmp_path / "index.html"):
            begun.set()
            order.append("first in")
            Event().wait(0.2)
            order.append("first out")

    thread = Thread(target=first)
    thread.start()
    begun.wait()
    with locks.awaited(tmp_path / "index.html"):
        order.append("second in")
    thread.join()

    assert order == ["first in", "first out", "second in"]

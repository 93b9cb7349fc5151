"""The ledger: whatever happens to its file or to its writers, no other line is lost."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

import psutil
import pytest

from studylib.ledger import GONE, Ledger, Row, State

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]
HERE = platform.node()
NOW = datetime.now(UTC).isoformat(timespec="milliseconds")
LONG_AGO = "2001-01-01T00:00:00.000+00:00"
ROW = Row("a" * 64, "digits, mlp, λ, seed 0", "ok", 1, "", HERE, os.getpid(), 0.1 + 0.2, 300.25, NOW)
APPEND = """
import sys
from pathlib import Path
from studylib.ledger import Ledger, Row
ledger, who = Ledger(Path(sys.argv[1])), sys.argv[2]
for batch in range(40):
    ledger.append(Row(f"{who}-{batch}-{k}", who * 500, "ok") for k in range(5))
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return a ledger that is not there yet."""
    return Ledger(tmp_path / "store")


def ended() -> int:
    """Return the number of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    return process.pid


def test_rows_come_back_as_they_were_in_their_order(ledger: Ledger) -> None:
    """Numbers to the last bit, any text, and lines that a person can read."""
    rows = [ROW, replace(ROW, state="failed", reason='a\nb\r\u2028 "日本" \x00')]
    ledger.append(rows[:1])
    ledger.append(rows[1:])

    assert list(ledger.rows()) == rows
    assert ledger.damaged() == []
    assert "日本" in ledger.path.read_text(encoding="utf-8")


def test_a_name_that_is_no_unicode_is_written_too(ledger: Ledger) -> None:
    """Linux allows any bytes in the name of a file, and errors quote them."""
    odd = replace(ROW, reason=f"no such file: {os.fsdecode(bytes([255]))}")
    ledger.append([odd])

    assert list(ledger.rows()) == [odd]


def test_a_ledger_that_is_not_there_has_no_rows(ledger: Ledger) -> None:
    """To read it, to settle it or to add nothing makes no file."""
    ledger.append([])

    assert [*ledger.rows(), *ledger.damaged(), *ledger.settle()] == []
    assert not ledger.path.parent.exists()


def test_a_line_that_was_cut_costs_no_other(ledger: Ledger) -> None:
    """Wherever the power went; the next row stands on a line of its own."""
    ledger.append([ROW])
    whole = ledger.path.read_bytes()
    for length in range(1, len(whole) - 1):
        ledger.path.write_bytes(whole + whole[:length])
        ledger.append([ROW])

        assert list(ledger.rows()) == [ROW, ROW]
        assert ledger.damaged() == [2]


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe",
        b"\x00" * 4096,
        b"{}",
        b"[]",
        b"3",
        b"null",
        b'"key fit state"',
        b"[" * 100_000,
        b'{"key": ["a"], "fit": "", "state": "running"}',
        b'{"key": "a", "fit": "", "state": "running", "process": "one"}',
        b'{"key": "a", "fit": "", "state": "running", "at": 3}',
        b'{"key": "a", "fit": ""}',
    ],
    ids=lambda line: line[:60].decode(errors="replace"),
)
def test_garbage_is_counted_and_left_out(line: bytes, ledger: Ledger) -> None:
    """Whatever it is, the rows around it are read, and settling goes on."""
    ledger.append([ROW])
    with ledger.path.open("ab") as file:
        file.write(line + b"\n")
    ledger.append([ROW])

    assert list(ledger.rows()) == [ROW, ROW]
    assert ledger.damaged() == [2]
    assert ledger.settle() == []


def test_an_empty_line_is_nothing_lost(ledger: Ledger) -> None:
    """Two processes that both mend the same cut line leave one."""
    ledger.append([ROW])
    with ledger.path.open("ab") as file:
        file.write(b"\n")
    ledger.append([ROW])

    assert list(ledger.rows()) == [ROW, ROW]
    assert ledger.damaged() == []


def test_a_later_version_may_know_more_of_a_row(ledger: Ledger) -> None:
    """What this one knows of it is read."""
    ledger.append([ROW])
    later = json.loads(ledger.path.read_bytes()) | {"gpu": "H200", "watts": [1, 2]}
    ledger.path.write_text(json.dumps(later) + "\n", encoding="utf-8")

    assert list(ledger.rows()) == [ROW]
    assert ledger.damaged() == []


def test_an_earlier_version_may_have_known_less(ledger: Ledger) -> None:
    """What has a default may be missing."""
    ledger.path.parent.mkdir()
    ledger.path.write_text('{"key": "a", "fit": "b", "state": "ok"}\n', encoding="utf-8")

    assert list(ledger.rows()) == [Row("a", "b", "ok")]


def test_writers_at_the_same_time_lose_and_mix_nothing(ledger: Ledger) -> None:
    """Three processes, each with batches of its own: every row is there, a batch in one piece."""
    writers = [
        subprocess.Popen([sys.executable, "-c", APPEND, str(ledger.path.parent), who], cwd=ROOT)
        for who in "abc"
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    keys = [row.key for row in ledger.rows()]

    assert ledger.damaged() == []
    for who in "abc":
        assert [key for key in keys if key[0] == who] == [
            f"{who}-{b}-{k}" for b in range(40) for k in range(5)
        ]
    assert all(len({key.rsplit("-", 1)[0] for key in keys[i : i + 5]}) == 1 for i in range(0, len(keys), 5))


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_a_dead_process_left_open_is_closed_once(state: State, ledger: Ledger) -> None:
    """As interrupted, with all that was known of it; what it had finished stays as it was."""
    dead = ended()
    left = replace(ROW, state=state, attempt=2, process=dead)
    ledger.append([replace(left, key="b"), left, replace(ROW, key="b", process=dead)])
    (closed,) = ledger.settle()

    assert replace(closed, at=left.at) == replace(left, state="interrupted", reason=GONE)
    assert list(ledger.rows())[-1] == closed
    assert ledger.settle() == []


def elsewhere() -> Row:
    """Return what runs on another machine."""
    return replace(ROW, state="running", host=f"not {HERE}", process=ended())


@pytest.mark.parametrize(
    "row",
    [
        lambda: replace(ROW, state="running"),
        lambda: replace(ROW, state="queued", process=os.getppid()),
        elsewhere,
        lambda: replace(ROW, state="failed", process=ended()),
    ],
    ids=["runs here", "waits in another process", "runs elsewhere", "has ended"],
)
def test_what_is_not_known_to_be_left_stays_open(row: Callable[[], Row], ledger: Ledger) -> None:
    """Nothing of a living process is closed, nor of a machine that cannot be asked from here."""
    ledger.append([row()])

    assert ledger.settle() == []


def test_what_a_worker_elsewhere_finished_is_not_left_open(ledger: Ledger) -> None:
    """A fit is asked for here and computed on another machine, whose name its last row bears."""
    asked = replace(ROW, state="running", process=ended())
    ledger.append([asked, replace(asked, state="ok", host=f"not {HERE}")])

    assert ledger.settle() == []


def test_another_process_with_the_same_number_is_not_the_same(ledger: Ledger) -> None:
    """In a container, every run may have the number of the one that was killed."""
    ledger.append([replace(ROW, state="running", at=LONG_AGO)])

    assert [row.state for row in ledger.settle()] == ["interrupted"]


def test_a_process_that_nobody_has_buried_has_ended(ledger: Ledger) -> None:
    """Its number stays taken until its parent asks how it ended; in a container that may be never."""
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.read()
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            sleep(0.01)
        ledger.append([replace(ROW, state="running", process=process.pid)])

        assert len(ledger.settle()) == 1


@pytest.mark.parametrize("number", [-1, 2**31, 2**80])
def test_what_is_no_number_of_a_process_has_ended(number: int, ledger: Ledger) -> None:
    """A damaged number stops nobody."""
    ledger.append([replace(ROW, state="running", process=number)])

    assert len(ledger.settle()) == 1


def calls(work: Callable[[], object]) -> int:
    """Return how many functions are called."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "work", [lambda one: list(one.rows()), lambda one: one.settle()], ids=["rows", "settle"]
)
def test_ten_times_the_rows_are_ten_times_the_work(work: Callable[[Ledger], object], tmp_path: Path) -> None:
    """Counted in calls of functions, which no other process slows down."""
    counts = {}
    for rows in (100, 1000):
        ledger = Ledger(tmp_path / str(rows))
        ledger.append(replace(ROW, key=str(k)) for k in range(rows))
        counts[rows] = calls(lambda ledger=ledger: work(ledger))  # type: ignore[misc]  # bound as it is now

    assert counts[1000] <= 10 * counts[100]


def test_a_hundred_thousand_rows_are_read(ledger: Ledger) -> None:
    """Every one of them, in order, and what is added to them."""
    ledger.append(replace(ROW, key=str(k)) for k in range(100_000))
    ledger.append([replace(ROW, key="last")])
    keys = [row.key for row in ledger.rows()]

    assert keys == [*map(str, range(100_000)), "last"]

"""What must survive: a report that is killed, interrupted or starved goes on later as if nothing had been."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING

import nbformat
import psutil
import pytest
from command_line import ROOT, Smoke, environment, smoke, with_datasets

from studylib.ledger import Ledger, Row
from studylib.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable

KILLS = 10  # in each of five rounds
STUDIES = ("text", "vision")
LATEST = 6.0  # seconds after which a report is killed at the latest, if it has not ended before


@pytest.fixture(scope="session")
def smoke_runs(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """Return the smoke runs of all studies, which nothing disturbed."""
    return smoke(tmp_path_factory)


def report(folder: Path, *words: str, root: Path = ROOT) -> subprocess.Popen[str]:
    """Start a smoke report in ``folder``, with a store of its own there."""
    command = [sys.executable, "-m", "studylib", "report", *STUDIES, "--run", "smoke", *words]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder / "store") | {"PYTHONPATH": str(root)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def left_behind(folder: Path) -> list[str]:
    """Return the processes that a report in ``folder`` started, at any depth, and that are still there."""
    found = []
    for process in psutil.process_iter():
        try:
            own = process.environ().get("STUDYLIB_STORE") == str(folder / "store")
            if own and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid}: {' '.join(process.cmdline())}")
        except psutil.Error:
            continue
    return found


def all_gone(folder: Path) -> bool:
    """Whether nothing that a report in ``folder`` started is there any more, within a second."""
    end = time.monotonic() + 1
    while left_behind(folder) and time.monotonic() < end:
        time.sleep(0.1)
    return left_behind(folder) == []


def rows(folder: Path) -> list[Row]:
    """Return the rows of the ledger."""
    return list(Ledger(folder / "store").rows())


def stored(folder: Path) -> dict[str, int]:
    """Return when each file of a whole result was written, to the nanosecond, by its name.

    The JSON is written last: arrays without one are no result yet, and are written again.
    """
    files = (folder / "store" / "fits").glob("*/[!.]*")
    whole = [path for path in files if path.with_suffix(".json").is_file()]
    return {path.name: path.stat().st_mtime_ns for path in whole}


def same_numbers(folder: Path, whole: Smoke) -> bool:
    """Whether the records are, byte for byte, those of undisturbed runs."""
    return all(
        (folder / "reports" / study / "smoke.json").read_bytes()
        == (whole.reports / study / "smoke.json").read_bytes()
        for study in STUDIES
    )


def wait_for(happened: Callable[[], object], process: subprocess.Popen[str], seconds: float = 120) -> None:
    """Wait until something has happened, as long as the process goes on."""
    end = time.monotonic() + seconds
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it has not happened"
        time.sleep(0.01)


@pytest.mark.parametrize("round_", range(5))
def test_a_report_killed_at_any_moment_loses_nothing(round_: int, smoke_runs: Smoke, tmp_path: Path) -> None:
    """Finished fits stay, unfinished ones are not believed, nothing runs on, and the numbers are the same."""
    with_datasets(tmp_path / "store")
    draw = random.Random(round_)
    for _ in range(KILLS):
        process = report(tmp_path)
        try:
            process.wait(draw.uniform(0, LATEST))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        assert all_gone(tmp_path)
        kept = stored(tmp_path)
        finished = {row.key for row in rows(tmp_path) if row.state == "ok"}
        assert finished <= {Path(name).stem for name in kept}
        if process.returncode == 0 and draw.random() < 0.5:
            (tmp_path / "reports" / "vision" / "smoke.html").unlink()  # so that there is something to do
    with report(tmp_path) as last:
        told, complained = last.communicate()

    assert last.returncode == 0, complained + told
    assert kept.items() <= stored(tmp_path).items(), "what was finished is not computed again"
    assert same_numbers(tmp_path, smoke_runs)
    assert list(tmp_path.rglob("*.failed.ipynb")) == []


def test_a_worker_that_is_killed_costs_one_attempt(smoke_runs: Smoke, tmp_path: Path) -> None:
    """The fits of its stack are tried again in fresh processes; the report ends well, with equal numbers."""
    with_datasets(tmp_path / "store")
    process = report(tmp_path)
    wait_for(lambda: any(row.state == "running" for row in rows(tmp_path)), process)
    time.sleep(0.05)
    (server,) = (child for child in psutil.Process(process.pid).children() if server_of_workers(child))
    victims = server.children()
    for victim in victims:
        victim.kill()
    told, complained = process.communicate()
    killed = [row for row in rows(tmp_path) if row.state == "killed"]

    assert process.returncode == 0, complained + told
    assert 1 <= len({row.fit.rpartition(", seed ")[0] for row in killed}) <= len(victims)
    assert {row.attempt for row in killed} == {1}
    assert {row.key for row in killed} <= {
        row.key for row in rows(tmp_path) if (row.state, row.attempt) == ("ok", 2)
    }
    assert same_numbers(tmp_path, smoke_runs)


def server_of_workers(process: psutil.Process) -> bool:
    """Whether it is the process that workers are forked from."""
    return any("forkserver" in word for word in process.cmdline())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_report_ends_with_130_at_once_and_goes_on_later(
    how: signal.Signals, smoke_runs: Smoke, tmp_path: Path
) -> None:
    """Within three seconds; what is finished is kept, the rest told as interrupted, and nothing runs on."""
    with_datasets(tmp_path / "store")
    process = report(tmp_path)
    wait_for(lambda: any(row.state == "ok" for row in rows(tmp_path)), process)
    process.send_signal(how)
    process.wait(3)
    _, complained = process.communicate()
    assert all_gone(tmp_path)
    kept = stored(tmp_path)
    last = {row.key: row.state for row in rows(tmp_path)}

    assert process.returncode == 130
    assert complained.endswith("studylib: interrupted; what is finished is kept.\n")
    assert set(last.values()) == {"ok", "interrupted"}

    with report(tmp_path) as again:
        told, complained = again.communicate()
    assert again.returncode == 0, complained + told
    assert kept.items() <= stored(tmp_path).items()
    assert same_numbers(tmp_path, smoke_runs)


@pytest.mark.parametrize("after", [0.5, 1.0, 1.5, 2.5, 4.0])
def test_an_interrupt_while_workers_start_ends_at_once_too(after: float, tmp_path: Path) -> None:
    """The server that they are forked from is deaf while it imports, and must not hold anybody up."""
    with_datasets(tmp_path / "store")
    process = report(tmp_path)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    process.wait(3)

    assert all_gone(tmp_path)
    _, complained = process.communicate()
    assert process.returncode == 130 or after < 1, complained  # before it listens, Python itself ends it
    assert "Traceback" not in complained or after < 1


def project(folder: Path, cell: str) -> Path:
    """Return a copy of the project whose vision notebook has one more ``cell`` before its headline."""
    for name in ("studylib", "notebooks", "params"):
        copytree(ROOT / name, folder / name, ignore=lambda *_: {"__pycache__", ".ipynb_checkpoints"})
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    path = folder / "notebooks" / "vision.ipynb"
    notebook = nbformat.read(path, as_version=4)
    place = next(number for number, own in enumerate(notebook.cells) if own.id == "headline")
    notebook.cells.insert(place, nbformat.v4.new_code_cell(cell, id="last-words"))
    nbformat.write(notebook, path)
    return folder


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import sys\nsys.exit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_notebook_that_dies_costs_its_own_page_alone(cell: str, reason: str, tmp_path: Path) -> None:
    """The cell is named, no page is left that looks like a result, and the other study's page is there."""
    with_datasets(tmp_path / "store")
    root = project(tmp_path / "project", cell)
    with report(tmp_path, root=root) as process:
        told, complained = process.communicate()
    made = {path.name for path in (tmp_path / "reports" / "vision").glob("[!.]*")}

    assert process.returncode == 1
    assert "cell 'last-words'" in complained
    assert reason in complained
    assert made == {"smoke.json", "smoke.failed.ipynb"}
    assert (tmp_path / "reports" / "text" / "smoke.html").is_file()
    assert "vision/smoke.html" not in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert left_behind(tmp_path) == []

    with report(tmp_path, root=root) as again:
        told, _ = again.communicate()
    assert "text/smoke: nothing to do: same code, parameters, data\n" in told
    assert "vision/smoke: all fits are known; made anew: it was not finished the last time\n" in told


def test_fits_that_reach_their_limit_are_counted_in_the_open(tmp_path: Path) -> None:
    """The page says how many timed out; the next report tries them again, and says so."""
    with_datasets(tmp_path / "store")
    with report(tmp_path, "--timeout", "0.06") as process:
        _, complained = process.communicate()
    record = Record.load(tmp_path / "reports" / "vision" / "smoke.json")
    late = [fit for fit in record.fits if fit.status == "timed out"]

    assert process.returncode == 1
    assert late
    assert {fit.reason for fit in late} == {"it took longer than the limit of 0.06 s"}
    assert "seed 0, timed out: it took longer than the limit of 0.06 s" in complained
    assert "timed out" in (tmp_path / "reports" / "vision" / "smoke.html").read_text(encoding="utf-8")
    assert {row.state for row in rows(tmp_path)} >= {"queued", "running", "timed out"}

    with report(tmp_path) as again:
        told, complained = again.communicate()
    assert again.returncode == 0, complained
    assert f"vision/smoke: {len(late)} of {len(record.fits)} fits to compute" in told


def test_two_reports_at_once_on_one_folder_never_mix(smoke_runs: Smoke, tmp_path: Path) -> None:
    """Each ends right, or says who holds the lock; afterwards there is nothing to do."""
    with_datasets(tmp_path / "store")
    both = [report(tmp_path) for _ in range(2)]
    ends = [process.communicate() for process in both]
    codes = sorted(process.returncode for process in both)
    refusals = [complained for _, complained in ends if "is being written" in complained]

    assert codes in ([0, 0], [0, 1])
    assert len(refusals) == sum(codes)
    if refusals:
        other = next(process for process in both if process.returncode == 0)
        assert f"it is being written by process {other.pid} on " in refusals[0]
    with report(tmp_path) as last:
        told, _ = last.communicate()
    assert told.count("nothing to do: same code, parameters, data\n") == len(STUDIES)
    assert same_numbers(tmp_path, smoke_runs)

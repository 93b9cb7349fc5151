"""`make report` from nothing, the environment apart, then with nothing changed, then with one arm more.

The first is set beside the last commit that trained fits one by one, which makes the same fits:
notebooks and parameters are those of today.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter
from typing import NamedTuple, final

import psutil

from benchmarks._asked import BEFORE, REPORT
from benchmarks._figures import figure, told
from studylib import places, processes
from studylib.ledger import Ledger
from studylib.speeds import Figure

ROUNDS = 5
ONE_BY_ONE = "99378b3"  # the last commit before fits were stacked
ARMS = {  # one more arm for each study, of about the cost of its others
    "recommender": "λ .002={embedding_l2: {strength: 0.002}}",
    "tabular": "MLP + dropout .3={model: mlp, training: {optimizer: adamw}, dropout: {rate: 0.3}}",
    "text": "word dropout .17={word_dropout: {rate: 0.17}}",
    "vision": "noise .23={input_noise: {std: 0.23}}",
}


@final
class Run(NamedTuple):
    """What one command took: seconds of wall time, and what it printed."""

    wall: float
    printed: str

    @property
    def fits(self) -> int:
        """How many a report says that there are."""
        return self._told[0]

    @property
    def pure(self) -> int:
        """Seconds of pure training, as a report says."""
        return self._told[1]

    @property
    def _told(self) -> tuple[int, int]:
        [(fits, pure)] = re.findall(r"(\d+) fits, (\d+) s of pure training", self.printed)
        return int(fits), int(pure)


def main() -> list[Figure]:
    """Print each figure beside what it should reach; return that of the report from nothing."""
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        now = _cold(scratch)
        again = [_studylib(scratch, "report").wall for _ in range(ROUNDS)]
        print(f"nothing changed: {_spread(again)} (at most 1.5)")
        for study, arm in ARMS.items():
            _one_arm(scratch, study, arm)
    helps = [_studylib(Path(), "--help").wall for _ in range(ROUNDS)]
    print(f"studylib --help: {_spread(helps)} (at most 0.3)")
    with TemporaryDirectory() as folder:
        root = _earlier(Path(folder, "project"))
        before = _studylib(Path(folder), "report", root=root)
    return [_beside(now, before)]


def _beside(now: Run, before: Run) -> Figure:
    told(REPORT, BEFORE, "s", [now.wall], [before.wall])
    note = f"{now.fits} fits, {before.fits} before; seconds of wall, in one round."
    return figure(REPORT, BEFORE, "s", [now.wall], [before.wall], note=note)


def _earlier(folder: Path) -> Path:
    """Put the code before fits were stacked into ``folder``, with notebooks and parameters of today."""
    git = ("git", "-C", str(places.project()), "archive", ONE_BY_ONE)
    archive = subprocess.run(git, check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    for name in ("notebooks", "params"):
        shutil.copytree(places.project() / name, folder / name, dirs_exist_ok=True)
    return folder


def _cold(scratch: Path) -> Run:
    with _watched() as seen:
        run = _studylib(scratch, "report")
    wall = run.wall
    share = wall / (run.pure / processes.cores())
    print(
        f"cold: {wall:.0f} s of wall (at most 240), {run.fits} fits (at least 320), {run.pure} s of training"
    )
    print(f"cold: wall over pure training / {processes.cores()} cores: {share:.2f} (at most 1.35)")
    print(f"largest resident memory of a process: {max(seen) / 1e9:.2f} GB (at most 1)")
    for page in sorted((scratch / "reports").rglob("*.html")):
        print(f"{page.relative_to(scratch)}: {page.stat().st_size / 1e3:.0f} kB (at most 1000)")
    return run


@contextmanager
def _watched() -> Iterator[list[int]]:
    """Yield a list that the resident memory of every process that is started here goes into, in bytes."""
    seen, over = [0], Event()

    def look() -> None:
        while not over.wait(0.2):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    seen.append(process.memory_info().rss)

    watcher = Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def _one_arm(scratch: Path, study: str, arm: str) -> None:
    """Add an arm to a study that is done, and set the wall time beside the training of that arm alone."""
    ledger = Ledger(scratch / "store")
    before = len(list(ledger.rows()))
    words = ("run", study, "--params", str(places.project() / f"params/{study}/default.yaml"), "--arm", arm)
    wall, printed = _studylib(scratch, *words, "--name", "more")
    rows = [row for row in list(ledger.rows())[before:] if row.state == "ok"]
    (scratch / "reports" / study / "more.html").unlink()
    notebook = _studylib(scratch, *words, "--name", "more").wall
    training = sum(row.seconds for row in rows) / processes.cores()
    assert training, f"{arm} is an arm of {study} already"
    print(
        f"one arm more in {study}: {printed.splitlines()[0].split(';')[0]}; {wall:.1f} s of wall, of which"
        f" {notebook:.1f} s are notebook and page; the rest is {(wall - notebook) / training:.2f} ×"
        f" {training:.1f} s of training / cores (at most 1.5)"
    )


def _studylib(scratch: Path, *words: str, root: Path | None = None) -> Run:
    command = [sys.executable, "-m", "studylib", *words]
    own = {"STUDYLIB_STORE": str(scratch / "store"), "PYTHONPATH": str(root or places.project())}
    environment = {**os.environ, **own}
    start = perf_counter()
    done = subprocess.run(
        command, check=True, text=True, stdout=subprocess.PIPE, env=environment, cwd=scratch
    )
    return Run(perf_counter() - start, done.stdout)


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"

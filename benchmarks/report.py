"""`make report` from nothing, the environment apart: wall time, fits, training, memory, sizes of pages."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

ROUNDS = 7  # of `studylib --help`


def main() -> None:
    """Print each figure beside what it should reach."""
    with TemporaryDirectory() as scratch:
        out = Path(scratch, "reports")
        start = perf_counter()
        printed = _studylib("report", "--out", str(out), store=str(Path(scratch, "store")))
        wall = perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
        [(fits, seconds)] = re.findall(r"(\d+) fits, (\d+) s of pure training", printed)
        sizes = {page.relative_to(out).as_posix(): page.stat().st_size for page in out.rglob("*.html")}
        start = perf_counter()
        _studylib("report", "--out", str(out), store=str(Path(scratch, "store")))
        again = perf_counter() - start
    print(f"wall {wall:.0f} s (at most 240), fits {fits} (at least 320), pure training {seconds} s")
    print(f"wall of a second run, nothing changed: {again:.1f} s")
    print(f"largest resident memory of a process: {peak:.2f} GB (at most 1)")
    for page, size in sorted(sizes.items()):
        print(f"{page}: {size / 1e3:.0f} kB (at most 1000)")
    print(f"studylib --help: {median(_help_seconds() for _ in range(ROUNDS)):.2f} s (at most 0.3)")


def _studylib(*arguments: str, store: str) -> str:
    command = [sys.executable, "-m", "studylib", *arguments]
    environment = {**os.environ, "STUDYLIB_STORE": store}
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, env=environment).stdout


def _help_seconds() -> float:
    start = perf_counter()
    _studylib("--help", store="")
    return perf_counter() - start

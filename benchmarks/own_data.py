"""A table of one's own, two million rows × 50 columns of CSV: seconds, and the memory of all processes."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter

import numpy as np
import psutil

ROWS, COLUMNS = 2_000_000, 50
BLOCK = 100_000
LIMIT = 4.0  # GB
SETTINGS = ("dataset.name=csv", "dataset.path=table.csv", "dataset.target=y", "seeds=2")
ARMS = {
    "ridge": "{l2: {strength: 0.01}}",
    "MLP": "{model: mlp, training: {optimizer: adamw, epochs: 1, batch_size: 256}}",
}
PARAMS = "arms: {no penalty: {}}\n"


def main() -> None:
    """Print each figure beside what it should reach."""
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        _write(scratch / "table.csv")
        size = (scratch / "table.csv").stat().st_size
        print(f"{ROWS:,} rows × {COLUMNS} columns: {size / 1e6:,.0f} MB of CSV")
        for words in ("read anew", "read before"):
            before = os.times()
            seconds, peak = _ran(scratch, words.replace(" ", "-"))
            after = os.times()
            busy = after.children_user + after.children_system - before.children_user - before.children_system
            spent = f"{seconds:.0f} s, {busy:.0f} s of the processors"
            print(f"{words}: {spent}; {peak / 1e9:.2f} GB in all processes (at most {LIMIT:g})")


def _write(path: Path) -> None:
    """Write numbers of five digits, and a target that is a sum of them and of noise."""
    import pyarrow as pa
    from pyarrow import csv

    generator = np.random.default_rng(0)
    weights = generator.normal(size=COLUMNS - 1)
    names = [*(f"x{number}" for number in range(COLUMNS - 1)), "y"]
    schema = pa.schema([(name, pa.float64()) for name in names])
    with csv.CSVWriter(path, schema) as file:
        for _ in range(ROWS // BLOCK):
            x = generator.normal(size=(BLOCK, COLUMNS - 1)).round(5)
            y = (x @ weights + 3 * generator.normal(size=BLOCK)).round(4)
            file.write_table(pa.table([*x.T, y], names=names))


def _ran(scratch: Path, name: str) -> tuple[float, int]:
    """Return the seconds of a run with two workers, and the most memory that its processes held together."""
    (scratch / "arms.yaml").write_text(PARAMS, encoding="utf-8")
    command = [sys.executable, "-m", "studylib", "run", "tabular", "--params", "arms.yaml", "--workers", "2"]
    command += [word for setting in SETTINGS for word in ("--set", setting)]
    command += [word for arm, own in ARMS.items() for word in ("--arm", f"{arm}={own}")]
    own = {"STUDYLIB_STORE": str(scratch / "store"), "PYTHONPATH": str(Path(__file__).parents[1])}
    start = perf_counter()
    run = subprocess.Popen([*command, "--name", name], cwd=scratch, env=os.environ | own)
    held: list[int] = []
    ended = Event()
    watch = Thread(target=_watch, args=(psutil.Process(run.pid), held, ended))
    watch.start()
    status = run.wait()
    seconds = perf_counter() - start
    ended.set()
    watch.join()
    if status:
        raise SystemExit(status)
    return seconds, max(held)


def _watch(run: psutil.Process, held: list[int], ended: Event) -> None:
    """Note again and again the memory of a process and all below it, what they share counted once."""
    while not ended.wait(0.2):
        total = 0
        with suppress(psutil.Error):
            for process in (run, *run.children(recursive=True)):
                with suppress(psutil.Error):
                    total += process.memory_full_info().pss
        held.append(total)

"""The command line as a person uses it: a process of its own, with nothing of ours around it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from studylib.places import store_folder
from studylib.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

ROOT = Path(__file__).parents[1]
SMOKE_RUN = ("--params", str(ROOT / "params" / "vision" / "smoke.yaml"))


def environment(store: Path) -> dict[str, str]:
    """Return the environment of a process that keeps its fits in ``store``."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "STUDYLIB_STORE": str(store), "NO_COLOR": "1"}


def studylib(*words: str | Path, cwd: Path, store: Path) -> subprocess.CompletedProcess[str]:
    """Run ``studylib`` in the folder ``cwd``."""
    command = [sys.executable, "-m", "studylib", *map(str, words)]
    return subprocess.run(
        command, cwd=cwd, env=environment(store), capture_output=True, text=True, check=False
    )


@final
@dataclass(frozen=True)
class Smoke:
    """The smoke run of every study, made by one ``studylib report``.

    Attributes:
        folder: of everything; ``told``: what the command printed; ``complained``: its standard error.
    """

    folder: Path
    told: str
    complained: str
    code: int

    @property
    def reports(self) -> Path:
        """The folder of records, notebooks and pages."""
        return self.folder / "reports"

    @property
    def store(self) -> Path:
        """The folder of the fits, for runs that share some of them."""
        return self.folder / "store"

    def record(self, study: str) -> Record:
        """Return the record of a study's smoke run."""
        return Record.load(self.reports / study / "smoke.json")


def smoke(factory: pytest.TempPathFactory) -> Smoke:
    """Return the smoke runs; whichever test needs them first, in whichever process, makes them."""
    folder = made_once(factory, "smoke", _report)
    told, complained, code = (
        (folder / name).read_text(encoding="utf-8") for name in ("told", "complained", "code")
    )
    return Smoke(folder, told, complained, int(code))


def _report(folder: Path) -> None:
    with_datasets(folder / "store")
    done = studylib(
        "report", "--run", "smoke", "--out", folder / "reports", cwd=folder, store=folder / "store"
    )
    for name, text in (("told", done.stdout), ("complained", done.stderr), ("code", str(done.returncode))):
        (folder / name).write_text(text, encoding="utf-8")


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that ``make`` filled once, however many processes share the tests."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = base / name
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            folder.mkdir(exist_ok=True)
            make(folder)
            (folder / "made").touch()
    return folder


def with_datasets(store: Path) -> None:
    """Make a store that holds datasets and no fits: two of them take seconds to build."""
    built = store_folder() / "datasets"  # what is built knows the code that it was built by
    built.mkdir(parents=True, exist_ok=True)
    store.mkdir(parents=True)
    (store / "datasets").symlink_to(built, target_is_directory=True)

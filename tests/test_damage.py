"""What must survive: a store that was damaged, a disk that is full, a folder that cannot be written to."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING

import pytest
from command_line import Smoke, environment, smoke, with_datasets

from studylib.ledger import Ledger
from studylib.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="session")
def smoke_runs(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """Return the smoke runs of all studies, which nothing disturbed."""
    return smoke(tmp_path_factory)


def report(
    folder: Path, *words: str, before: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Make the smoke report of one study in ``folder``; ``before`` is run in its process."""
    return subprocess.run(
        [sys.executable, "-m", "studylib", "report", "text", "--run", "smoke", *words],
        cwd=folder,
        env=environment(folder / "store"),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=before,  # nothing else runs in this process
    )


def fits(folder: Path) -> list[Path]:
    """Return the entries of the store."""
    return sorted((folder / "store" / "fits").glob("*/*.json"))


def at_most(size: int) -> None:
    """Let no file grow beyond ``size`` bytes, as if the disk were full there."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def same_numbers(folder: Path, whole: Smoke) -> bool:
    """Whether the record is, byte for byte, that of an undisturbed run."""
    made, true = (root / "text" / "smoke.json" for root in (folder / "reports", whole.reports))
    return made.read_bytes() == true.read_bytes()


def test_a_damaged_store_is_named_and_only_what_is_lost_is_computed_again(
    smoke_runs: Smoke, tmp_path: Path
) -> None:
    """A flipped byte, an end too early, curves that are gone, another format, half a file, a cut ledger."""
    copytree(smoke_runs.store, tmp_path / "store", symlinks=True)
    keys = [fit.key for fit in smoke_runs.record("text").fits]
    flipped, cut, alone, foreign, whole, *_ = (
        tmp_path / "store" / "fits" / key[:2] / f"{key}.json" for key in keys
    )
    body = bytearray(flipped.with_suffix(".npz").read_bytes())
    body[len(body) // 2] ^= 1
    flipped.with_suffix(".npz").write_bytes(body)
    cut.write_bytes(cut.read_bytes()[:-20])
    alone.with_suffix(".npz").unlink()
    foreign.write_text(json.dumps({**json.loads(foreign.read_bytes()), "format": 99}), encoding="utf-8")
    (whole.parent / f".{whole.name}.1.tmp").write_bytes(whole.read_bytes()[:99])
    ledger = Ledger(tmp_path / "store")
    before = len(list(ledger.rows()))
    ledger.path.write_bytes(ledger.path.read_bytes()[:-30])
    done = report(tmp_path)
    known = [json.loads(line) for line in ledger.path.read_bytes().splitlines()[before:]]

    assert done.returncode == 0, done.stderr
    assert (
        f"{flipped}: its checksum does not fit: some bytes were changed or lost; computed again"
        in done.stdout
    )
    assert f"{cut}: it cannot be read (JSONDecodeError); computed again" in done.stdout
    assert f"{alone}: its curves are missing; computed again" in done.stdout
    assert f"{foreign}: expected format 1, got 99: another version wrote it; computed again" in done.stdout
    assert "text/smoke: 4 of 6 fits to compute" in done.stdout
    assert {row["key"] for row in known} == {path.stem for path in (flipped, cut, alone, foreign)}
    assert ledger.damaged() == [before]
    assert same_numbers(tmp_path, smoke_runs)


@pytest.mark.parametrize("size", [1_000, 20_000, 50_000])
def test_a_full_disk_is_a_clear_error_and_the_next_report_goes_on(
    size: int, smoke_runs: Smoke, tmp_path: Path
) -> None:
    """Whatever does not fit any more, a fit, a record or a page: no part of a file stays that looks whole."""
    with_datasets(tmp_path / "store")
    full = report(tmp_path, before=partial(at_most, size))
    kept = {path: path.stat().st_mtime_ns for path in fits(tmp_path)}

    assert full.returncode == 1
    assert "Traceback" not in full.stderr
    assert re.search(r"^studylib: \S+: File too large", full.stderr, re.MULTILINE), full.stderr
    assert list(tmp_path.rglob(".*.tmp")) == []
    assert not (tmp_path / "reports" / "text" / "smoke.html").exists()

    again = report(tmp_path)
    assert again.returncode == 0, again.stderr
    assert "computed again" not in again.stdout, "nothing that was kept is damaged"
    assert kept.items() <= {path: path.stat().st_mtime_ns for path in fits(tmp_path)}.items()
    assert same_numbers(tmp_path, smoke_runs)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc, which nobody can write to, is not there")
def test_a_folder_that_cannot_be_written_to_is_refused_before_any_training(tmp_path: Path) -> None:
    """Reports or store: the folder is named, with what to do, and no fit was begun."""
    read_only = report(tmp_path, "--out", "/proc/reports")
    assert read_only.returncode == 2
    assert read_only.stderr.startswith("studylib: /proc/reports/text: expected a folder to write to: ")
    assert read_only.stderr.endswith("Name another folder with --out.\n")
    assert not (tmp_path / "store").exists()

    (tmp_path / "store").write_text("a file where the store should be", encoding="utf-8")
    no_store = report(tmp_path)
    assert no_store.returncode == 2
    assert "Name another store with STUDYLIB_STORE." in no_store.stderr


def test_a_record_is_never_half_written(tmp_path: Path, smoke_runs: Smoke) -> None:
    """Where there is no room for the new one, the old one stays as it was."""
    copytree(smoke_runs.store, tmp_path / "store", symlinks=True)
    copytree(smoke_runs.reports / "text", tmp_path / "reports" / "text")
    before = Record.load(tmp_path / "reports" / "text" / "smoke.json")
    full = report(tmp_path, before=partial(at_most, 1_000))

    assert full.returncode == 1
    assert Record.load(tmp_path / "reports" / "text" / "smoke.json") == before

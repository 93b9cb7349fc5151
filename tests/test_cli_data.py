"""What ``studylib data`` says and does, as it is typed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from studylib import supplies
from studylib.datasets import CATALOGUE
from studylib.datasets._own import OwnData
from studylib.errors import ParameterError

ROOT = Path(__file__).parents[1]


def data(*words: str, store: Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Type ``studylib data …`` where nothing was fetched, and no network is."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"STUDYLIB_STORE": str(store), "STUDYLIB_DATA": str(folder or "")}
    environment |= {"HTTPS_PROXY": "http://127.0.0.1:9"}  # the port of "discard", where nobody listens
    command = [sys.executable, "-m", "studylib", "data", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=False)


@pytest.fixture
def partly(tmp_path: Path) -> Path:
    """Return a folder of datasets with one damaged file of the two of TREC."""
    folder = tmp_path / "data"
    (folder / "sent-conv").mkdir(parents=True)
    (folder / "sent-conv" / "TREC.test.all").write_bytes(b"0 What is this ?\n")
    return folder


def test_the_list_has_everything_that_there_is(partly: Path, tmp_path: Path) -> None:
    """Every dataset and WordNet, with task, size, licence, whether it is here, and where it is looked for."""
    done = data("list", "--json", store=tmp_path / "store", folder=partly)
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    text = data("list", store=tmp_path / "store", folder=partly).stdout

    assert rows.keys() == {*CATALOGUE, "open-english-wordnet"}
    assert all(row["task"] and row["licence"] and row["source"] for row in rows.values())
    for name, row in rows.items():
        own = name in CATALOGUE and isinstance(CATALOGUE.example(name), OwnData)
        assert row["present"] is (None if own else not row["files"])
        assert row["bytes"] == sum(file["bytes"] for file in row["files"])
    assert rows["trec"]["where"] == str(partly / "sent-conv")
    assert [line.split("  ")[0] for line in text.splitlines()[1:-3]] == sorted(rows)
    assert all(len(line) < 140 for line in text.splitlines()[:-3])
    assert " in part " in next(line for line in text.splitlines() if line.startswith("trec"))
    assert f"{partly} (STUDYLIB_DATA), then {tmp_path / 'store' / 'downloads'}" in text


def test_where_is_a_path_for_each_file(partly: Path, tmp_path: Path) -> None:
    """A file that is there is a path that can be opened; of another it is said how it comes there."""
    done = data("where", "trec", "digits", store=tmp_path / "store", folder=partly)
    train, test, digits = done.stdout.splitlines()

    assert train == f"{tmp_path}/store/downloads/sent-conv/TREC.train.all (not yet: studylib data fetch trec)"
    assert test == f"{partly}/sent-conv/TREC.test.all"
    assert digits == "digits: it comes with the packages."


def test_fetch_says_what_it_has_and_what_it_has_not(partly: Path, tmp_path: Path) -> None:
    """What fails is named with its reason, and does not stop what can be had; the exit is 2."""
    done = data("fetch", "trec", "digits", "energy", store=tmp_path / "store", folder=partly)

    assert done.returncode == 2
    assert done.stdout.splitlines() == [
        "trec: cannot be had, as said below.",
        "digits: it comes with the packages; there is nothing to fetch.",
        "energy: cannot be had, as said below.",
    ]
    assert done.stderr.startswith("studylib: sent-conv/TREC.train.all: expected to fetch it from https://raw")
    assert "Connection refused" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_an_unknown_name_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    """Every wrong name has its own line, with what was meant."""
    done = data("fetch", "tre", "digit", "trec", store=tmp_path / "store")

    assert (done.returncode, done.stdout) == (2, "")
    for name, meant in (("tre", "trec"), ("digit", "digits")):
        assert f"data: unknown data {name!r}. Did you mean {meant!r}? Known: all, " in done.stderr


def test_a_wrong_folder_of_datasets_is_told(tmp_path: Path) -> None:
    """A typing error in STUDYLIB_DATA is not taken for nothing being there."""
    done = data("list", store=tmp_path, folder=tmp_path / "dta")

    assert done.returncode == 2
    assert "STUDYLIB_DATA: expected the folder of datasets" in done.stderr


def test_all_is_what_comes_from_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, whatever else is named; an empty list is nothing."""
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path))
    monkeypatch.delenv("STUDYLIB_DATA", raising=False)
    every = [one.name for one in supplies.survey() if one.files]

    assert [one.name for one in supplies.named(["all", "trec"])] == every
    assert {"trec", "fashion_mnist", "open-english-wordnet"} <= set(every)
    with pytest.raises(ParameterError, match="unknown data 'csb'"):
        supplies.named(["all", "csb"])

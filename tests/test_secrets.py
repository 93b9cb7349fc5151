"""Secrets: used by whoever needs them, masked in everything that is written."""

from __future__ import annotations

import html
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from command_line import ROOT
from imaginary import classification

from studylib import compare, datasets, models, notebooks, regularizers, sources
from studylib.pages.provenance import provenance
from studylib.params import Plain
from studylib.records import Record
from studylib.secrets import MASK, Secrets, is_secret, masked
from studylib.trainers.base import Training

TOKEN = 'hf_Q7"<z>&9 xW'  # noqa: S105  # whoever writes it as HTML, JSON or a URL writes it otherwise
SAID = (
    "token",
    "api_token",
    "apiToken",
    "API-KEY",
    "apikey",
    "HF_TOKEN",
    "hfToken",
    "token2",
    "password",
    "db.password",
    "userPassword",
    "PASSWD",
    "passphrase",
    "secret",
    "client_secret",
    "AWS_SECRET_ACCESS_KEY",
    "secretKey",
    "private_key",
    "access_tokens",
    "credentials",
    "authorization",
    "bearer",
    "auth",
    "cookie",
    "jwt",
    "Passwort",
)
OPEN = (
    "tokens",
    "max_tokens",
    "token_dropout",
    "tokenizer",
    "n_tokens",
    "key",
    "keys",
    "monkey",
    "author",
    "seeds",
    "smallest_effect",
)


@pytest.mark.parametrize("name", SAID)
def test_names_of_secrets_are_known(name: str) -> None:
    """However they are written: in parts, in capitals, with a number behind."""
    assert is_secret(name)


@pytest.mark.parametrize("name", OPEN)
def test_other_names_are_not_taken_for_secrets(name: str) -> None:
    """A parameter about the tokens of a text is shown."""
    assert not is_secret(name)


def test_no_parameter_of_this_project_is_taken_for_a_secret() -> None:
    """What is shipped asks for none, so nothing of it is hidden."""
    names = {*Plain.model_fields, *Training.model_fields}
    for catalogue in (datasets.CATALOGUE, models.CATALOGUE, regularizers.CATALOGUE):
        names |= {name for part in catalogue for name in (part, *catalogue[part].settings())}

    assert {name for name in names if is_secret(name)} == set()
    for study in sources.studies():
        cell = sources.read_cell(sources.notebook(study))
        assert masked(cell) == cell


def test_secrets_are_masked_at_any_depth() -> None:
    """In mappings and lists; whatever stands under a secret name goes, what is empty stays."""
    tree = {
        "dataset": {"name": "x", "sources": [{"url": "u", "api_key": TOKEN}, {"password": ""}]},
        "credentials": {"user": "me", "pins": [12, 34], "given": True, "host": None},
        "arms": {"secret token": {"l2": {"strength": 0.1}}, "b": {"x": {"token": TOKEN}}},
    }

    assert masked(tree) == {
        "dataset": {"name": "x", "sources": [{"url": "u", "api_key": MASK}, {"password": ""}]},
        "credentials": {"user": MASK, "pins": [MASK, MASK], "given": True, "host": None},
        "arms": {"secret token": {"l2": {"strength": 0.1}}, "b": {"x": {"token": MASK}}},
    }
    assert masked(masked(tree)) == masked(tree)
    assert list(masked(tree)) == list(tree)


def test_a_secret_is_found_in_texts_however_it_is_written() -> None:
    """As Python, JSON, HTML and URLs write it; a short one beside its name, for it may be a word."""
    secrets = Secrets.among({"api_token": TOKEN, "password": "one"})
    texts = [
        TOKEN,
        repr({"a": TOKEN}),
        json.dumps([TOKEN]),
        "hf_Q7&quot;&lt;z&gt;&amp;9 xW",
        "hf_Q7%22%3Cz%3E%269%20xW",
    ]

    assert all(MASK in secrets.scrubbed(text) and "xW" not in secrets.scrubbed(text) for text in texts)
    assert secrets.scrubbed("password=one, {'password': 'one'}, one arm") == (
        f"password={MASK}, {{'password': '{MASK}'}}, one arm"
    )
    assert secrets.scrubbed({"data": [TOKEN, 3]}) == {"data": [MASK, 3]}


def test_a_record_is_written_and_read_without_secrets(tmp_path: Path) -> None:
    """Also one of another origin."""
    record = classification()
    params = {**record.params, "dataset": {"name": "digits", "token": TOKEN}}
    body = {
        "params": params,
        "format": 1,
        "study": "a",
        "run": "b",
        "dataset": {},
        "fits": [],
        "versions": {},
    }
    (tmp_path / "old.json").write_text(json.dumps({**body, "contrasts": []}), encoding="utf-8")

    Record(**{**vars(record), "params": params}).save(tmp_path / "new.json")

    assert MASK in (tmp_path / "new.json").read_text(encoding="utf-8")
    assert "hf_Q7" not in (tmp_path / "new.json").read_text(encoding="utf-8")
    assert Record.load(tmp_path / "old.json").params["dataset"]["token"] == MASK


def noisy(path: Path) -> Path:
    """Write a notebook that shows its parameters in every way, and fails."""
    cells = [
        nbformat.v4.new_code_cell(
            'api_token = ""\nown_password = "in the file"\ndepth = {}', id="parameters"
        ),
        nbformat.v4.new_code_cell(
            "print(api_token, depth); import sys; print(own_password, file=sys.stderr)", id="a"
        ),
        nbformat.v4.new_code_cell("assert len(api_token) == 14; dict(api_token=api_token)", id="b"),
        nbformat.v4.new_code_cell("raise ValueError(depth)", id="c"),
    ]
    cells[0].metadata["tags"] = ["parameters"]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    return path


GIVEN: dict[str, Any] = {"api_token": TOKEN, "depth": {"pages": 7, "passphrase": "x1"}}


def test_an_executed_notebook_shows_no_secret(tmp_path: Path) -> None:
    """The cells had it; injected parameters, prints, results and tracebacks do not show it."""
    source = noisy(tmp_path / "noisy.ipynb")
    with pytest.raises(Exception, match="cell 'c' raised ValueError"):
        notebooks.execute(source, tmp_path / "out.ipynb", GIVEN)

    check_masked((tmp_path / "out.failed.ipynb").read_text(encoding="utf-8"))


def test_papermill_with_our_engine_shows_no_secret(tmp_path: Path) -> None:
    """Also where papermill itself writes the file: ``papermill --engine studylib -p api_token …``."""
    source = noisy(tmp_path / "noisy.ipynb")
    with pytest.raises(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            source, tmp_path / "out.ipynb", GIVEN, engine_name="studylib", progress_bar=False
        )

    check_masked((tmp_path / "out.ipynb").read_text(encoding="utf-8"))


def check_masked(text: str) -> None:
    """Refuse a notebook that shows a secret, or that was not given it."""
    [injected] = [
        c for c in json.loads(text)["cells"] if "injected-parameters" in c["metadata"].get("tags", [])
    ]
    assert "".join(injected["source"]) == (
        f'# Parameters\napi_token = "{MASK}"\ndepth = {{"pages": 7, "passphrase": "{MASK}"}}\n'
    )
    assert "hf_Q7" not in text
    assert "in the file" not in text
    assert "x1" not in text
    assert "AssertionError" not in text
    assert text.count(MASK) >= 6


GUARDED = ROOT / "studylib" / "datasets" / "diabetes.py"
FIELD = "    train: TrainRows = 100\n"
SPLIT = "        parts = shuffled("


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of this project with a dataset that asks for a token, and a notebook that prints it."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("studylib", "params", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    source = GUARDED.read_text(encoding="utf-8").replace("Diabetes", "Guarded")
    source = source.replace(FIELD, f'{FIELD}    api_token: str = ""\n').replace(
        "        table, target = _load()\n        return {",
        "        assert self.api_token, 'no token'\n        table, target = _load()\n        return {",
    )
    check = '        assert seed == 0 or "wrong" not in self.api_token, self.api_token\n'
    source = source.replace(SPLIT, check + SPLIT)
    assert source.count("self.api_token") == 3
    (folder / "studylib" / "datasets" / "guarded.py").write_text(source, encoding="utf-8")
    path = folder / "notebooks" / "tabular.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(
        nbformat.v4.new_code_cell("print(params.dataset, params.to_dict()['dataset'])", id="leak")
    )
    nbformat.write(notebook, path)
    return folder


def told(project: Path, *words: str) -> str:
    """Return what a command says that ends well."""
    own = {"PYTHONPATH": str(project), "STUDYLIB_STORE": str(project / "store"), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "studylib", *words]
    done = subprocess.run(
        command, cwd=project, env=os.environ | own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_run_that_needs_a_token_leaves_no_trace_of_it(project: Path) -> None:
    """Not in record, notebook, page or store; a new token makes nothing anew, and all of it verifies."""
    asked = ["run", "tabular", "--params", "params/tabular/smoke.yaml", "--set", "dataset.name=guarded"]
    asked += ["--set", "dataset.features=main", "--set", "dataset.train=60", "--set"]
    first = told(project, *asked, "dataset.api_token=tok-1234567890")
    again = told(project, *asked, "dataset.api_token=tok-0987654321")
    checked = told(project, "verify", "reports/tabular/smoke.json", "--sample", "1")

    written = [p for folder in ("reports", "store") for p in (project / folder).rglob("*") if p.is_file()]
    assert [p for p in written if b"tok-1234567890" in p.read_bytes()] == []
    for suffix in (".json", ".ipynb", ".html"):
        assert MASK in (project / "reports" / "tabular" / f"smoke{suffix}").read_text(encoding="utf-8")
    page = html.unescape((project / "reports" / "tabular" / "smoke.html").read_text(encoding="utf-8"))
    assert f"""--set 'dataset.api_token="{MASK}"' --name""" in page or f'dataset.api_token="{MASK}"' in page
    assert "tok-1234567890" not in first
    assert "nothing to do" in again
    assert "; 0 differences" in checked


def test_a_fit_that_fails_does_not_quote_its_token(project: Path) -> None:
    """Neither in record, page, store and ledger, nor on the terminal."""
    own = {"PYTHONPATH": str(project), "STUDYLIB_STORE": str(project / "other"), "NO_COLOR": "1"}
    asked = ["run", "tabular", "--params", "params/tabular/smoke.yaml", "--set", "dataset.name=guarded"]
    asked += ["--set", "dataset.api_token=tok-wrong-one", "--name", "refused"]
    done = subprocess.run(
        [sys.executable, "-m", "studylib", *asked],
        cwd=project,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    written = [p for folder in ("reports", "other") for p in (project / folder).rglob("*") if p.is_file()]

    assert done.returncode == 1
    assert f"AssertionError: {MASK}" in done.stderr
    assert "tok-wrong-one" not in done.stdout + done.stderr
    assert [p for p in written if b"tok-wrong-one" in p.read_bytes()] == []


def test_pages_that_are_made_from_memory_show_no_secret() -> None:
    """Whatever a record holds, provenance and comparison mask it; two tokens are no difference."""
    record = classification()
    one, other = (
        replace(record, params={**record.params, "dataset": {"name": "digits", "token": token}})
        for token in (TOKEN, "another token")
    )

    assert f"token: {MASK}" in provenance(one, "", "")["parameters"]
    assert compare.changes(one, other).params == {}

"""The notebooks: thin, stripped, in one form; and their smoke runs, whole."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from command_line import ROOT, Smoke, environment, smoke

from studylib import runs, sources
from studylib.contents import Contents
from studylib.notebooks import kernel
from studylib.store import Store
from studylib.study import RECORD, planned

STUDIES = sources.studies()
SECTIONS = ["Question", "Data", "Method", "Result", "What would change our mind", "Provenance"]
LONGEST_CELL = 12
ALLOWED = re.compile(r"studylib(\..*)?|IPython\.display")
LOGIC = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ClassDef,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.If,
    ast.IfExp,
    ast.Try,
    ast.With,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
every_study = pytest.mark.parametrize("study", STUDIES)
Cell = dict[str, Any]


def cells(study: str) -> list[Cell]:
    """Return the cells of a notebook, each with its source in one text."""
    notebook = json.loads(sources.notebook(study).read_text(encoding="utf-8"))
    return [{**cell, "source": "".join(cell["source"])} for cell in notebook["cells"]]


def code(study: str) -> list[Cell]:
    """Return the cells that are run and hold no parameters."""
    found = [cell for cell in cells(study) if cell["cell_type"] == "code"]
    return [cell for cell in found if "parameters" not in cell["metadata"].get("tags", [])]


def section(study: str, heading: str) -> str:
    """Return the prose under a heading of the second level, up to the next one."""
    prose = "\n\n".join(cell["source"] for cell in cells(study) if cell["cell_type"] == "markdown")
    return prose.split(f"## {heading}\n")[1].split("\n## ")[0]


@pytest.fixture(scope="session")
def smoke_runs(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """Return the smoke runs of all studies."""
    return smoke(tmp_path_factory)


def test_the_four_studies_are_there() -> None:
    """One question, one notebook."""
    assert set(STUDIES) >= {"recommender", "tabular", "text", "vision"}


@every_study
def test_a_notebook_is_committed_without_its_outputs(study: str) -> None:
    """Results live in records; a change of a notebook is a change of its words."""
    notebook = json.loads(sources.notebook(study).read_text(encoding="utf-8"))

    assert (notebook["nbformat"], notebook["metadata"].keys()) == (4, {"kernelspec", "language_info"})
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert cell["metadata"].keys() <= {"tags"}


@every_study
def test_cells_are_named_in_words(study: str) -> None:
    """An error, a link or a review can point at a cell; names are unique."""
    names = [cell["id"] for cell in cells(study)]

    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []


@every_study
def test_one_cell_holds_the_parameters_and_nothing_else(study: str) -> None:
    """Plain assignments of literals, which are read without being run."""
    tagged = [cell for cell in cells(study) if cell["metadata"].get("tags")]
    body = ast.parse(tagged[0]["source"]).body

    assert [cell["metadata"]["tags"] for cell in tagged] == [["parameters"]]
    assert all(isinstance(node, ast.Assign) for node in body)
    assert list(sources.read_cell(sources.notebook(study))) == [
        ast.unparse(node.targets[0]) for node in body if isinstance(node, ast.Assign)
    ]


@every_study
def test_cells_use_studylib_and_hold_no_logic(study: str) -> None:
    """What could be wrong is in the library, where it is tested."""
    for cell in code(study):
        for node in ast.walk(ast.parse(cell["source"])):
            assert not isinstance(node, LOGIC), f"{cell['id']}: {ast.unparse(node)}"
            imported = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            imported += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert [name for name in imported if not ALLOWED.fullmatch(name)] == []


@every_study
def test_cells_are_short(study: str) -> None:
    """At most twelve lines; the parameters are a table with a line for each arm, and as long as that."""
    lengths = {cell["id"]: len(cell["source"].splitlines()) for cell in code(study)}

    assert {name: length for name, length in lengths.items() if length > LONGEST_CELL} == {}


@every_study
def test_a_notebook_is_told_in_the_same_order_as_the_others(study: str) -> None:
    """One title, a question; then the six sections."""
    prose = "\n\n".join(cell["source"] for cell in cells(study) if cell["cell_type"] == "markdown")
    headings = re.findall(r"^(#+) (.*)$", prose, re.MULTILINE)

    assert headings[0][0] == "#"
    assert headings[0][1].endswith("?")
    assert headings[1:] == [("##", name) for name in SECTIONS]


@every_study
def test_prose_stands_before_every_code_cell(study: str) -> None:
    """A reader is told what comes before it comes."""
    kinds = [cell["cell_type"] for cell in cells(study)]

    assert [
        k for k, kind in enumerate(kinds) if kind == "code" and (k == 0 or kinds[k - 1] != "markdown")
    ] == []


@every_study
def test_no_number_of_a_result_is_typed_by_hand(study: str) -> None:
    """Every number under Result comes from a cell; in code font, a name may hold a digit."""
    assert re.findall(r"\d+", re.sub(r"`[^`]*`", "", section(study, "Result"))) == []


@every_study
def test_the_run_of_a_report_is_large_enough_to_mean_something(study: str) -> None:
    """At least eight ways to train, and ten seeds of each."""
    params = runs.from_file(study, "default").params

    assert len(params.arms) >= 8
    assert params.seeds >= 10


@every_study
def test_a_smoke_run_has_its_three_files(study: str, smoke_runs: Smoke) -> None:
    """Record, executed notebook and page; every fit ended well."""
    made = {path.suffix for path in (smoke_runs.reports / study).glob("smoke.*")}
    record = smoke_runs.record(study)

    assert smoke_runs.code == 0, smoke_runs.complained
    assert made == {".json", ".ipynb", ".html"}
    assert record.unfinished() == ()
    assert len(record.fits) == len(record.arms) * record.params["seeds"]
    assert len(record.contrasts) == len(record.arms) - 1


@every_study
def test_an_executed_notebook_shows_its_record(study: str, smoke_runs: Smoke) -> None:
    """Each cell was run, none complained, and the headline is that of the record."""
    executed = json.loads((smoke_runs.reports / study / "smoke.ipynb").read_text(encoding="utf-8"))
    by_id = {cell["id"]: cell for cell in executed["cells"]}
    (shown,) = by_id["headline"]["outputs"]

    assert {cell["id"] for cell in code(study)} <= by_id.keys()
    assert {o["output_type"] for cell in by_id.values() for o in cell.get("outputs", [])} <= {
        "display_data",
        "execute_result",
    }
    assert all(cell["outputs"] for name, cell in by_id.items() if name.startswith(("figure-", "table-")))
    assert "".join(shown["data"]["text/markdown"]) == smoke_runs.record(study).headline


@every_study
def test_a_kernel_shows_the_same(study: str, smoke_runs: Smoke, tmp_path: Path) -> None:
    """By papermill alone, in a fresh kernel: every source, number and output is that of the forked run."""
    given = runs.from_file(study, "smoke").params.tree
    variables = {**environment(smoke_runs.store), **kernel.ENVIRONMENT}
    variables[RECORD] = str((smoke_runs.reports / study / "smoke.json").absolute())
    with kernel.running(variables) as km:
        papermill.execute_notebook(
            sources.notebook(study), tmp_path / "kernel.ipynb", given, km=km, progress_bar=False
        )
    both = (tmp_path / "kernel.ipynb", smoke_runs.reports / study / "smoke.ipynb")
    theirs, ours = (
        [(cell.source, cell.get("execution_count"), cell.get("outputs")) for cell in one.cells]
        for one in (nbformat.read(path, 4) for path in both)
    )

    assert ours == theirs


@every_study
def test_a_page_tells_the_finding(study: str, smoke_runs: Smoke) -> None:
    """Title and headline, every arm, and the six sections to jump to."""
    page = (smoke_runs.reports / study / "smoke.html").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page))

    assert sources.title(sources.notebook(study)) in text
    assert smoke_runs.record(study).headline in text
    assert all(arm in text for arm in smoke_runs.record(study).arms)
    assert all(name in text for name in SECTIONS)


def test_the_index_leads_to_every_page(smoke_runs: Smoke) -> None:
    """And to nothing that is not there."""
    index = (smoke_runs.reports / "index.html").read_text(encoding="utf-8")
    linked = {href.removeprefix("./") for href in re.findall(r'<a [^>]*href="([^"#]+)"', index)}

    assert {f"{study}/smoke.html" for study in STUDIES} <= linked
    assert [href for href in linked if not (smoke_runs.reports / href).exists()] == []


def papermill_says(*words: str | Path, store: Path) -> subprocess.CompletedProcess[str]:
    """Run papermill from the project's folder, as its users do."""
    command = [str(Path(sys.executable).with_name("papermill")), *map(str, words)]
    return subprocess.run(
        command, cwd=ROOT, env=environment(store), capture_output=True, text=True, check=False
    )


def test_papermill_runs_a_notebook_with_a_file_and_a_parameter(smoke_runs: Smoke, tmp_path: Path) -> None:
    """From a plain shell: the file is taken, -p has the last word, and the fits are those of studylib."""
    done = papermill_says(
        "notebooks/vision.ipynb",
        tmp_path / "out.ipynb",
        *("-p", "seeds", "3"),
        *("-f", "params/vision/smoke.yaml"),
        store=smoke_runs.store,
    )
    assert done.returncode == 0, done.stderr

    executed = json.loads((tmp_path / "out.ipynb").read_text(encoding="utf-8"))
    shown = json.dumps(executed["cells"][-1]["outputs"], ensure_ascii=False)
    assert "12 (4 arms × 3 seeds)" in shown

    request = runs.from_command_line("vision", ROOT / "params/vision/smoke.yaml", ["seeds=3"], [], None)
    store = Store(smoke_runs.store)
    with ThreadPoolExecutor(1) as here:
        [plan] = planned([request.params], here, Contents(smoke_runs.store))
    assert [spec for spec in plan.specs.values() if spec not in store] == []


def test_papermill_stops_at_a_wrong_parameter_before_any_fit(tmp_path: Path) -> None:
    """The cell that reads the parameters says what is wrong, with the notebook as its place."""
    done = papermill_says(
        "notebooks/vision.ipynb",
        tmp_path / "out.ipynb",
        "-p",
        "metric",
        "test_acuracy",
        store=tmp_path / "store",
    )

    assert done.returncode != 0
    assert "unknown metric 'test_acuracy'. Did you mean 'test_accuracy'?" in done.stderr
    assert not (tmp_path / "store").exists()

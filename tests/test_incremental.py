"""What is computed, and what is not: a study again, with an arm more, with seeds more, with edited code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest
from command_line import ROOT, environment, with_datasets

NOTHING = "vision/mine: nothing to do: same code, parameters, data"
NONE, ARM = (
    ("--params", "params/vision/smoke.yaml", "--name", "mine"),
    ("--arm", "far={shift: {pixels: 2}}"),
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project, whose code may be edited, with the smoke run of one study made."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("studylib", "notebooks", "params"):
        copytree(ROOT / name, folder / name, ignore=lambda *_: {"__pycache__", ".ipynb_checkpoints"})
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    with_datasets(folder / "store")
    assert said(folder) == "vision/mine: 8 of 8 fits to compute; made anew: it was not made here before"
    return folder


def said(folder: Path, *words: str) -> str:
    """Make the run of ``words`` in the copy; return what is said of it before it is made."""
    done = subprocess.run(
        [sys.executable, "-m", "studylib", "run", "vision", *NONE, *words],
        cwd=folder,
        env=environment(folder / "store") | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[0]


def edited(path: Path, old: str, new: str) -> None:
    """Replace the one place of ``old`` in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_only_what_is_new_is_computed(project: Path) -> None:
    """Nothing for the same again, an arm for an arm, a seed of each arm for a seed, nothing for less."""
    assert said(project) == NOTHING
    assert said(project, *ARM).startswith(
        "vision/mine: 2 of 10 fits to compute; made anew: parameters changed"
    )
    assert said(project, *ARM) == NOTHING
    assert said(project, "--set", "seeds=3").startswith("vision/mine: 4 of 12 fits to compute; ")
    assert said(project).startswith("vision/mine: all fits are known; made anew: parameters changed")


def test_only_what_edited_code_decides_is_computed_again(project: Path) -> None:
    """Figures, prose and comments retrain nothing; another formula retrains what uses it, and that alone."""
    code = project / "studylib"
    edited(code / "figures" / "picture.py", "from __future__", "# seen from afar\nfrom __future__")
    edited(
        code / "trainers" / "gradient.py", "from __future__", "# one step after the other\nfrom __future__"
    )
    edited(project / "notebooks" / "vision.ipynb", "What would change our mind", "What would change my mind")
    assert said(project) == "vision/mine: all fits are known; made anew: notebook changed, code changed"

    shift = (code / "regularizers" / "shift.py").read_text(encoding="utf-8")
    (code / "regularizers" / "shift.py").write_text(shift + "\nFURTHER = 2\n", encoding="utf-8")
    told = said(project)
    assert told.startswith(
        "vision/mine: 2 of 8 fits to compute; made anew: code that decides numbers changed"
    )

    gradient = (code / "trainers" / "gradient.py").read_text(encoding="utf-8")
    (code / "trainers" / "gradient.py").write_text(gradient + "\nFASTER = True\n", encoding="utf-8")
    assert said(project).startswith("vision/mine: 8 of 8 fits to compute; ")
    linear = (code / "trainers" / "linear.py").read_text(encoding="utf-8")
    (code / "trainers" / "linear.py").write_text(linear + "\nFASTER = True\n", encoding="utf-8")
    assert said(project) == "vision/mine: all fits are known; made anew: code changed"


def test_code_that_is_edited_while_a_process_uses_it_is_refused(project: Path) -> None:
    """As in a notebook, between two runs of a cell: nobody knows which code a worker has."""
    program = f"""
from pathlib import Path
from studylib import StudyError, run_study, study_params
def run(seeds):
    return run_study(study_params("vision", dataset={{"train": 60}}, training={{"epochs": 1}}, seeds=seeds,
        arms={{"none": {{}}, "shift": {{"shift": {{"pixels": 1}}}}}}))
if __name__ == "__main__":
    print(len(run(2).fits))
    path = Path({str(project / "studylib" / "regularizers" / "shift.py")!r})
    path.write_text(path.read_text(encoding="utf-8") + "\\nNEARER = 1\\n", encoding="utf-8")
    try:
        run(3)
    except StudyError as error:
        print(error)
"""
    (project / "twice.py").write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "twice.py"],
        cwd=project,
        env=environment(project / "store") | {"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("4\nstudylib.regularizers.shift: edited since this process began")
    assert "restart the kernel" in done.stdout

"""What code does, as a hash: wording does not change it, meaning does, and only where it is used."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from shutil import copytree

import pytest

from studylib import fingerprints, places, plan, sources
from studylib.fingerprints import of_syntax
from studylib.params import layered

SOURCE = '''"""A module."""
import math

class Area:
    """A class."""

    def of(self, radius: float) -> float:
        """A method."""
        return math.pi * radius**2  # Archimedes

async def later() -> None:
    """A coroutine."""
'''


PACKAGE = Path(fingerprints.__file__).parent
GRADIENT = ("studylib.trainers.fitting", "studylib.models.mlp", "studylib.datasets.digits")
OTHERS = ("studylib.trainers.linear", "studylib.trainers.factorization")
# computes fits, and prints what was loaded for them
LOADED = """
import sys
from studylib import datasets, models
from studylib.components import build
from studylib.trainers.base import Training
from studylib.trainers.fitting import fit
make = lambda catalogue, own: catalogue.make(own.pop("name"), own)
for spec in {specs!r}:
    training = build(Training, spec["training"], "training")
    parts = make(datasets.CATALOGUE, spec["dataset"]), make(models.CATALOGUE, spec["model"])
    fit(*parts, spec["regularizers"], training, 0, "cpu")
print(*(name for name in sys.modules if name.split(".")[0] == "studylib"))
"""
# prints the hash of the code of a fit, and of everything, in a copy of the package
PROGRAM = (
    f"from studylib import fingerprints as f; print(f.of_code({GRADIENT!r}, {OTHERS!r}), f.of_package())"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""', '"""Another docstring."""'),
        ('"""A module."""\n', ""),
        ('"""A class."""', '"""Another."""'),
        ('"""A method."""\n        ', ""),
        ('"""A coroutine."""', '"""Another."""'),
        ("# Archimedes", "# Euler"),
        ("  # Archimedes", ""),
        ("import math\n\n", "import math\n\n\n\n"),
        ("radius**2", "radius  **  2"),
        ("math.pi * radius**2", "(math.pi * radius**2)"),
    ],
)
def test_rewording_does_not_change_the_hash_of_code(old: str, new: str) -> None:
    """Docstrings, comments and layout decide no number."""
    assert old in SOURCE
    assert of_syntax(SOURCE.replace(old, new)) == of_syntax(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("radius**2", "radius**2.0"),
        ("math.pi", "math.e"),
        ("def of", "def at"),
        ("radius: float", "radius: int"),
        ("import math", "import cmath as math"),
        ("math.pi * radius**2", "radius**2 * math.pi"),
    ],
)
def test_another_meaning_changes_the_hash_of_code(old: str, new: str) -> None:
    """Whatever could decide a number, down to the order of factors."""
    assert of_syntax(SOURCE.replace(old, new)) != of_syntax(SOURCE)


def test_a_text_that_is_no_docstring_counts() -> None:
    """Only the first statement of a module, class or function is one."""
    assert of_syntax('x = "a"') != of_syntax('x = "b"')
    assert of_syntax('def f():\n    x = 1\n    "a"') != of_syntax('def f():\n    x = 1\n    "b"')


def hashes(copy: Path) -> list[str]:
    """Return the hash of a fit's code, and of everything, in a copy of the package."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=copy, capture_output=True, text=True, check=True, env={}
    )
    return done.stdout.split()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package in it."""
    copytree(PACKAGE, tmp_path / "studylib", ignore=lambda *_: {"__pycache__"})
    return tmp_path


@pytest.mark.parametrize(
    "file",
    [
        "trainers/gradient.py",
        "trainers/_steps.py",
        "models/mlp.py",
        "models/_slot.py",
        "metrics/__init__.py",
        "seeds.py",
    ],
)
def test_what_a_fit_uses_is_in_its_code(file: str, copy: Path) -> None:
    """Its parts, and what they import, however far away and wherever in a file."""
    before = hashes(copy)
    path = copy / "studylib" / file
    path.write_text(path.read_text(encoding="utf-8") + "\nNEW = 1\n", encoding="utf-8")
    after = hashes(copy)

    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize(
    "file",
    [
        "trainers/linear.py",
        "regularizers/l1.py",
        "figures/style.py",
        "compare/verdicts.py",
        "cli.py",
        "study.py",
    ],
)
def test_what_a_fit_does_not_use_is_not_in_its_code(file: str, copy: Path) -> None:
    """Editing figures or prose, another trainer or another regularizer retrains nothing."""
    before = hashes(copy)
    path = copy / "studylib" / file
    path.write_text(path.read_text(encoding="utf-8") + "\nNEW = 1\n", encoding="utf-8")
    (copy / "studylib" / "regularizers" / "new.py").write_text("NEW = 1\n", encoding="utf-8")
    after = hashes(copy)

    assert before[0] == after[0]
    assert before[1] != after[1]


@pytest.mark.parametrize("name", sources.studies())
def test_all_that_fits_load_is_in_their_code(name: str) -> None:
    """What is imported by a name that is made up at run time would be missed by reading the files."""
    file = places.project() / "params" / name / "smoke.yaml"
    run = layered(name, "smoke", [(str(file), sources.read_yaml(file))])
    specs = [asdict(spec) for (_, seed), spec in plan.plan(run, "0" * 64, "cpu").items() if seed == 0]
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(specs=specs)], capture_output=True, text=True, check=True
    )
    code = {module for spec in plan.plan(run, "0" * 64, "cpu").values() for module in plan.modules_of(spec)}

    assert set(done.stdout.split()) - fingerprints.SILENT <= code

"""The shape of the code: who may import whom, how long things may be, what is loaded before work starts."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
LAYERS: tuple[set[str], ...] = (
    {
        "errors",
        "seeds",
        "records",
        "trials",
        "components",
        "deferred",
        "downloads",
        "places",
        "processes",
        "memory",
        "agreement",
        "archives",
        "fetching",
        "dates",
        "fingerprints",
        "frames",
        "lifeline",
        "locks",
        "secrets",
    },  # know nothing else
    {"datasets", "regularizers", "models", "metrics", "statistics"},  # nouns, which never import each other
    {"trainers"},  # verbs
    {"arms", "params", "runs", "sources"},  # what is asked for
    {
        "plan",
        "contents",
        "store",
        "ledger",
        "editions",
        "pool",
        "executors",
        "stacking",
        "costs",
        "cluster",
        "admission",
        "progress",
        "searches",
        "computing",
    },
    {"study", "paths", "samples", "forecasts", "inspection"},
    {"compare", "claims", "speeds"},
    {"figures", "notebooks", "pages", "checks"},  # what people see; only here are the notebook tools
    {
        "cli",
        "cli_share",
        "cli_check",
        "cli_data",
        "cli_store",
        "supplies",
        "__main__",
        "listing",
        "reports",
        "publishing",
        "sharing",
        "browser",
        "verification",
        "housekeeping",
        "inventory",
        "needs",
        "overviews",
        "studylib",
    },  # what people call
)
SEEN = 7
NOTEBOOK_TOOLS = {"papermill", "nbconvert", "nbclient"}
HEAVY = {"torch", "pandas", "scipy", "sklearn", "matplotlib"}

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """Return the dotted name of the module at ``path``."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted((ROOT / "studylib").rglob("*.py"))}
TESTS = sorted((ROOT / "tests").rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax tree of the file at ``path``."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(module: str) -> set[str]:
    """Return what ``module`` imports anywhere, as dotted names; ``from a import b`` gives both a and a.b."""
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(tree(MODULES[module])):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {source, *(f"{source}.{alias.name}" for alias in node.names)}
    return found


def own_imports(module: str) -> set[str]:
    """Return the modules of studylib that ``module`` imports; a package only where itself is what is used."""
    found = imported(module) & MODULES.keys()
    return {name for name in found if not any(other.startswith(f"{name}.") for other in found)} - {module}


def room(module: str) -> str:
    """Return the folder of studylib that ``module`` is in, at whatever depth; empty for one in none."""
    first, *others = MODULES[module].relative_to(ROOT / "studylib").parts
    return first if others else ""


def layers_of(module: str) -> list[int]:
    """Return the numbers of the layers that name the room of ``module``: one, if all is well."""
    own = module.split(".")[min(1, module.count("."))]
    return [number for number, rooms in enumerate(LAYERS) if own in rooms]


def layer(module: str) -> int:
    """Return the number of the layer of ``module``; one that has none yet may import nothing."""
    return next(iter(layers_of(module)), -1)


def functions(path: Path) -> Iterator[Function]:
    """Yield every function and method of a file."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    """Return how many lines the body of a function has, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_every_module_has_its_layer() -> None:
    """A new module is given a place in LAYERS, above; CONTRIBUTING.md says how to find it."""
    assert [name for name in MODULES if len(layers_of(name)) != 1] == [], "see 'Layers' in CONTRIBUTING.md"


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_to_a_smaller_layer(module: str) -> None:
    """A module uses what stands below it, and beside it only what is in its room."""
    beside = {name for name in own_imports(module) if room(name) == room(module)}
    refused = {name for name in own_imports(module) if layer(name) >= layer(module) + (name in beside)}

    assert refused == set()


def test_no_import_leads_back_to_where_it_started() -> None:
    """The modules can be put in an order in which each needs only earlier ones."""
    order = list(TopologicalSorter({module: own_imports(module) for module in MODULES}).static_order())

    assert set(order) == set(MODULES)


def test_only_the_layer_of_pages_knows_the_notebook_tools() -> None:
    """Whoever replaces papermill or nbconvert opens one layer."""
    users = {name for name in MODULES if {i.split(".")[0] for i in imported(name)} & NOTEBOOK_TOOLS}

    assert {name for name in users if layer(name) != SEEN} == set()


def test_commands_start_before_the_heavy_libraries_are_loaded() -> None:
    """Parameters are read and checked, and parts listed, without torch, pandas, SciPy and the like."""
    light = [name for name in MODULES if layer(name) in {0, 1, 3} and "._" not in name]
    light.remove("studylib.lifeline")  # which is for the server that processes are forked from alone
    light += ["studylib", "studylib.cli", "studylib.trainers.base"]
    program = (
        "import importlib, sys\n"
        f"for name in {light}:\n"
        "    importlib.import_module(name)\n"
        f"    assert not (loaded := {HEAVY} & sys.modules.keys()), f'{{name}} loads {{loaded}}'\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, check=False)

    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("module", MODULES)
def test_files_and_functions_are_short(module: str) -> None:
    """A file has at most 250 lines, and the body of a function at most 40."""
    path = MODULES[module]
    long = {f"{f.name}:{f.lineno}": body_lines(f) for f in functions(path) if body_lines(f) > 40}

    assert len(path.read_text(encoding="utf-8").splitlines()) <= 250
    assert long == {}


def test_half_of_all_parts_fit_on_a_screen() -> None:
    """The median part, which newcomers copy, has at most 60 lines, and the median body of a function 6."""
    parts = [path for name, path in MODULES.items() if layer(name) == 1 and "._" not in name]
    bodies = [body_lines(function) for path in MODULES.values() for function in functions(path)]

    assert median(len(path.read_text(encoding="utf-8").splitlines()) for path in parts) <= 60
    assert median(bodies) <= 6


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_every_test_states_the_fact_that_it_proves(path: Path) -> None:
    """A test without a sentence cannot be judged by whoever sees it fail."""
    tests = [function for function in functions(path) if function.name.startswith("test_")]

    assert [test.name for test in tests if not ast.get_docstring(test)] == []


def test_no_module_is_a_drawer_for_everything() -> None:
    """What has no better name than utils has not been thought about yet."""
    assert [name for name in MODULES if {"utils", "util", "helpers"} & set(name.split("."))] == []

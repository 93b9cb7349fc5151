"""pyproject.toml, constraints.txt, environment.yml and the running interpreter name one set of versions."""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires, version
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA: list[Any] = YAML(typ="safe").load(ROOT / "environment.yml")["dependencies"]


def constraint_lines() -> list[str]:
    """Return the lines of constraints.txt that pin a package."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


PINS = {canonicalize_name(r.name): r for r in map(Requirement, constraint_lines())}
ASKED = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
DIRECT = [r for r in map(Requirement, chain.from_iterable(ASKED)) if r.name != PROJECT["name"]]
GPU = ("cuda-", "nvidia-", "pytorch-triton", "triton")  # what torch chooses for its GPU builds


def pinned(name: str) -> Version:
    """Return the version that constraints.txt gives to ``name``."""
    (specifier,) = PINS[canonicalize_name(name)].specifier
    assert specifier.operator == "=="
    return Version(specifier.version)


def needed(name: str, extras: frozenset[str]) -> list[Requirement]:
    """Return what the installed package ``name`` needs here, as its own metadata says."""
    found = map(Requirement, requires(name) or [])
    asked = [{"extra": extra} for extra in extras | {""}]
    return [r for r in found if r.marker is None or any(map(r.marker.evaluate, asked))]


def everything_needed() -> set[str]:
    """Return the names of the direct dependencies, of what they need, and so on."""
    todo, met = list(DIRECT), set[tuple[str, frozenset[str]]]()
    while todo:
        requirement = todo.pop()
        package = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if package not in met and not requirement.name.startswith(GPU):
            met.add(package)
            todo += needed(*package)
    return {name for name, _ in met}


def test_constraints_pin_every_dependency_to_a_version_that_the_project_allows() -> None:
    """What pyproject.toml asks for stands in constraints.txt, in one exact version that satisfies it."""
    for requirement in DIRECT:
        assert requirement.specifier.contains(pinned(requirement.name)), str(requirement)


def test_constraints_pin_what_the_dependencies_need_in_turn() -> None:
    """No version is left to the day of the installation, save those that torch chooses for its GPU builds."""
    assert everything_needed() - PINS.keys() == set()


def test_constraints_pin_nothing_else() -> None:
    """A package that nothing needs any more has left constraints.txt; a marker keeps what others need."""
    elsewhere = {name for name, pin in PINS.items() if pin.marker and not pin.marker.evaluate()}

    assert PINS.keys() - everything_needed() - elsewhere == set()


def test_conda_users_get_the_same_versions() -> None:
    """The pip section of environment.yml is constraints.txt, line by line, and then the project itself."""
    (pip,) = [entry["pip"] for entry in CONDA if isinstance(entry, dict)]

    assert pip == [*constraint_lines(), "-e .[dev]"]


def test_conda_users_get_a_python_that_the_project_allows() -> None:
    """environment.yml names a Python that ``requires-python`` takes, and pip, git and make."""
    named = {Requirement(entry.replace("=", "==")) for entry in CONDA if isinstance(entry, str)}
    (python,) = [r.specifier for r in named if r.name == "python"]
    (exact,) = python

    assert exact.version in Requirement(f"python{PROJECT['requires-python']}").specifier
    assert {"pip", "git", "make"} <= {r.name for r in named}


def test_torch_is_the_one_that_the_numbers_were_made_with() -> None:
    """Version 2.13.0 stands in pyproject.toml, in constraints.txt, and thereby in environment.yml."""
    assert "torch==2.13.0" in PROJECT["dependencies"]
    assert pinned("torch") == Version("2.13.0")


@pytest.mark.parametrize("name", sorted({r.name for r in DIRECT}))
def test_the_dependency_is_installed_in_its_pinned_version(name: str) -> None:
    """The tests run with the versions that are promised; ``+cpu`` and its like are the same version."""
    assert Version(version(name)).public == pinned(name).public


def test_all_else_that_is_installed_from_the_constraints_has_its_version() -> None:
    """A package that is pinned, and here, is here in that version."""
    differing = {}
    for name in PINS:
        try:
            found = Version(version(name)).public
        except PackageNotFoundError:  # another platform's
            continue
        if found != pinned(name).public:
            differing[name] = found

    assert differing == {}


def test_the_project_offers_its_script_and_extras() -> None:
    """``studylib`` runs the command line; ``cluster`` and ``dev`` add what only some need."""
    assert PROJECT["scripts"] == {"studylib": "studylib.cli:main"}
    assert PROJECT["optional-dependencies"].keys() == {"cluster", "dev"}


def test_this_python_is_one_that_the_project_allows() -> None:
    """The interpreter at work is one that ``requires-python`` takes."""
    running = ".".join(map(str, sys.version_info[:3]))

    assert running in Requirement(f"python{PROJECT['requires-python']}").specifier

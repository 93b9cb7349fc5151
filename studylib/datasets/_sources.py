"""The source text of installed packages, read as text: nothing of it is executed."""

from __future__ import annotations

import ast
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import final

from studylib.errors import StudyError

# tests and other people's packages in copy are not the package's own code
_TESTS = {"test", "tests", "testing", "idle_test"}
_COPIES = {"_vendor", "vendored", "externals", "extern", "third_party", "site-packages", "dist-packages"}
_DEVELOPMENT = {"idlelib", "lib2to3", "turtledemo", "ensurepip"}
_LEFT_OUT = _TESTS | _COPIES | _DEVELOPMENT
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")


@final
@dataclass(frozen=True, order=True)
class Source:
    """A file of Python and the dotted name that it is imported by."""

    module: str
    path: Path

    @property
    def is_package(self) -> bool:
        """Whether relative imports start here and not one level above."""
        return self.path.name == "__init__.py"

    def parse(self) -> ast.Module | None:
        """Return the syntax tree, or nothing for what this Python cannot read (templates, other versions)."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes in code that is not ours
            try:
                return ast.parse(self.path.read_bytes())
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None


def modules_of(name: str) -> list[Source]:
    """Return the files of the installed package that is imported as ``name``, by module name.

    Raises:
        StudyError: it is not installed, or has no source files.
    """
    spec = find_spec(name)
    folders = [Path(place) for place in (spec and spec.submodule_search_locations) or ()]
    sources = sorted(source for folder in folders for source in folder_sources(folder, folder.parent))
    if not sources:
        raise _not_installed(name)
    return sources


def _not_installed(name: str) -> StudyError:
    return StudyError(
        f"the dataset is read from the source of the package {name!r}, which is not installed here;"
        " `make env` installs it."
    )


def standard_library() -> list[Source]:
    """Return the files of Python's standard library, by module name."""
    root = Path(sysconfig.get_path("stdlib"))
    sources = folder_sources(root, root)
    return sorted(s for s in sources if s.module.split(".")[0] in sys.stdlib_module_names)


def folder_sources(folder: Path, root: Path) -> Iterator[Source]:
    """Give each module under ``folder``, named from ``root``; tests and vendored copies are left out."""
    for path in folder.rglob("*.py"):
        *folders, _ = path.relative_to(root).parts
        parts = folders if path.name == "__init__.py" else [*folders, path.stem]
        is_test = path.stem == "conftest" or path.stem.startswith("test_")
        if not is_test and _LEFT_OUT.isdisjoint(folders) and all(part.isidentifier() for part in parts):
            yield Source(".".join(parts), path)


def statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Give the tree and every statement in it, however deep; expressions are not entered, which is fast."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for block in _BLOCKS:
            waiting.extend(getattr(node, block, ()))


def ingredients(distributions: Iterable[str], *code: str) -> list[str]:
    """Return what decides the content of a dataset that is read from packages.

    Args:
        distributions: names of the packages as they are installed (``scikit-learn``).
        code: paths of the modules that read them.

    Raises:
        StudyError: one of them is not installed.
    """
    texts = [Path(path).read_text(encoding="utf-8") for path in (__file__, *code)]
    return [*installed(*distributions), *texts]


def installed(*distributions: str) -> list[str]:
    """Return the versions of Python and of packages, named as they are installed (``scikit-learn``).

    Raises:
        StudyError: one of them is not installed.
    """
    try:
        return [f"python {sys.version}", *(f"{name} {version(name)}" for name in distributions)]
    except PackageNotFoundError as error:
        raise _not_installed(str(error.name)) from None

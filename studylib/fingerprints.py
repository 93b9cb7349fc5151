"""What code does, as a hash: rewording a docstring or a comment does not change it, nor does code nearby."""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import final

ROOT = Path(__file__).parent
# These say what went wrong, and where and how things are written down; a number does not depend on them.
SILENT = frozenset({"studylib", "studylib.errors", "studylib.places", "studylib.records"})


def of_code(modules: Iterable[str], without: Collection[str] = ()) -> str:
    """Return the sha256 of the syntax trees of ``modules`` and of all that they import from this package.

    Args:
        modules: dotted names, such as ``studylib.trainers.gradient``.
        without: modules that are not followed, though they are imported: they are not called.
    """
    digests = [(module, _read(module)[0]) for module in followed(modules, without)]
    return sha256(repr(digests).encode()).hexdigest()


def followed(modules: Iterable[str], without: Collection[str] = ()) -> list[str]:
    """Return ``modules`` and all that they import from this package, directly or not, in order."""
    waiting, found = list(modules), set(without) | SILENT
    reached = []
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            reached.append(module)
            waiting += _read(module)[1]
    return sorted(reached)


def of_package() -> str:
    """Return the sha256 of every byte of the package as it stands on the disk now, templates included."""
    digests = [
        (path.relative_to(ROOT).as_posix(), sha256(path.read_bytes()).hexdigest())
        for path in sorted(ROOT.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return sha256(repr(digests).encode()).hexdigest()


def of_syntax(source: str) -> str:
    """Return the sha256 of what ``source`` does."""
    return _of_tree(ast.parse(source))


def _of_tree(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            node.body = node.body[documented:]
    return sha256(ast.dump(tree).encode()).hexdigest()


@final
class Watch:
    """Tells of edits: a fit must not be kept under the hash of other code than it was computed by."""

    def __init__(self) -> None:
        self._files = [str(path) for path in ROOT.rglob("*.py")]
        self._seen = self._times()

    def edited(self) -> bool:
        """Return whether a file was touched since the last look; then what was read before is forgotten."""
        before, self._seen = self._seen, self._times()
        if before != self._seen:
            _read.cache_clear()
        return before != self._seen

    def _times(self) -> list[int]:
        return [os.stat(file).st_mtime_ns if os.path.exists(file) else 0 for file in self._files]  # noqa: PTH116, PTH110  # once per fit


@cache
def _read(module: str) -> tuple[str, tuple[str, ...]]:
    """Return the hash of one module, and the modules of this package that it imports."""
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(f"{module}: no such module in {ROOT}")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = tuple(sorted(name for name in _named(tree) if _path(name)))
    return _of_tree(tree), imported


def _named(tree: ast.Module) -> Iterator[str]:
    """Give every name that may be a module that ``tree`` imports, the packages around it included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:count]) for count in range(2, len(parts) + 1))


@cache
def _path(module: str) -> Path | None:
    package, *parts = module.split(".")
    if package != ROOT.name:
        return None
    candidates = (ROOT.joinpath(*parts).with_suffix(".py"), ROOT.joinpath(*parts, "__init__.py"))
    return next((path for path in candidates if path.is_file()), None)

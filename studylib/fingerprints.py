"""What code does, as a hash: rewording a docstring or a comment does not change it, nor does code nearby."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from studylib.errors import StudyError

ROOT = Path(__file__).parent
# These say what went wrong, and where and how things are written down; a number does not depend on them.
SILENT = frozenset(
    {
        *("studylib", "studylib.errors", "studylib.places", "studylib.records", "studylib.secrets"),
        # what these bring is known by its hash
        *("studylib.archives", "studylib.downloads", "studylib.fetching", "studylib.locks"),
        "studylib.frames",
        "studylib.metrics.meanings",
        "studylib.trials",
    }
)


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
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
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


def edited(modules: Iterable[str]) -> list[str]:
    """Return those of ``modules`` whose file was written to since this process began.

    Workers import code later than it is hashed, and this process may have imported it before: as long as no
    file was touched, all of them have the same.
    """
    return [module for module in modules if _written(_path(module)) != _AT_FIRST.get(module)]


def _written(path: Path | None) -> int | None:
    try:
        return path.stat().st_mtime_ns if path else None
    except OSError:
        return None


@cache
def _read(module: str) -> tuple[str, tuple[str, ...]]:
    """Return the hash of one module, and the modules of this package that it imports."""
    path = _path(module)
    if path is None:
        raise ModuleNotFoundError(f"{module}: no such module in {ROOT}")
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:  # somebody is in the middle of an edit
        raise StudyError(f"{path}, line {error.lineno}: {error.msg}") from None
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


def _modules() -> Iterator[str]:
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


_AT_FIRST = {module: _written(_path(module)) for module in _modules()}

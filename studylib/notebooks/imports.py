"""What a notebook's code imports, read without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

# widgets talk with a client that answers, which the driver of a forked process is not
WITH_WIDGETS = frozenset({"ipywidgets", "comm", "ipympl", "ipyparallel", "anywidget"})
WITH_WIDGETS_INSIDE = frozenset({"ipykernel.comm", "tqdm.auto", "tqdm.autonotebook", "tqdm.notebook"})
NOT_PYTHON = re.compile(r"^(\s*)(?:[%!?].*|\S.*\?)$", re.MULTILINE)  # magics, commands, questions


def imported(sources: Iterable[str]) -> set[str]:
    """Return the dotted names of what the cells import; ``from a import b`` gives both a and a.b."""
    return {name for source in sources for node in _statements(source) for name in _names(node)}


def needs_a_client(names: Iterable[str]) -> bool:
    """Return whether code that imports ``names`` shows widgets."""
    return any(name.split(".")[0] in WITH_WIDGETS or name in WITH_WIDGETS_INSIDE for name in names)


def _statements(source: str) -> Iterator[ast.AST]:
    plain = NOT_PYTHON.sub(r"\1pass", source)
    try:
        yield from ast.walk(ast.parse(plain))
    except (SyntaxError, ValueError):  # some other extension of the language: line by line, then
        for line in plain.splitlines():
            try:
                yield from ast.walk(ast.parse(line.strip()))
            except (SyntaxError, ValueError):
                continue


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)

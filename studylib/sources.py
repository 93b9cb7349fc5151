"""Where parameters come from: the notebooks' cells and YAML files; how later ones change earlier ones."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studylib import places
from studylib.errors import ParameterError, did_you_mean, unknown

# a number in YAML 1.2 that YAML 1.1 takes for text: it wants a point and a sign of the exponent
SCIENTIFIC = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+")


def studies() -> tuple[str, ...]:
    """Return the names of the studies: the notebooks of the project."""
    return tuple(sorted(path.stem for path in (places.project() / "notebooks").glob("*.ipynb")))


def notebook(study: str) -> Path:
    """Return the path of the notebook of ``study``.

    Raises:
        ParameterError: there is no such study.
    """
    if study not in studies():
        raise unknown("study", study, studies())
    return places.project() / "notebooks" / f"{study}.ipynb"


def read_cell(path: Path) -> dict[str, Any]:
    """Return the assignments of the cell tagged ``parameters``, without running it.

    Raises:
        ParameterError: no such cell, more than one, not Python, or a value that is not a literal.
    """
    tagged = [cell["source"] for cell in _cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    if len(tagged) != 1:
        raise ParameterError(f"{path}: expected one cell tagged 'parameters', found {len(tagged) or 'none'}.")
    try:
        body = ast.parse("".join(tagged[0])).body
    except SyntaxError as error:
        raise ParameterError(f"{path}: parameters cell, line {error.lineno}: {error.msg}.") from None
    return {name: _literal(value, f"{path}: {name}") for node in body for name, value in _assignments(node)}


def _assignments(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    """Return name and value of ``seeds = 3`` and of ``seeds: int = 3``; nothing of any other statement."""
    targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
    value = getattr(node, "value", None)
    return [(target.id, value) for target in targets if isinstance(target, ast.Name) and value]


def _literal(value: ast.expr, where: str) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        raise ParameterError(f"{where}: expected a literal, got {ast.unparse(value)}.") from None


def _cells(path: Path) -> list[dict[str, Any]]:
    try:
        cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ParameterError(f"{path}: expected a notebook, but {reason}.") from None
    return cells


def read_yaml(path: Path) -> dict[str, Any]:
    """Return what a params file says, by the rules of YAML 1.2 (``1e-3`` is a number).

    Raises:
        ParameterError: no such file, invalid YAML with line and column, or not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        if not isinstance(error, FileNotFoundError):
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise ParameterError(f"{path}: expected a file in YAML: {reason}.") from None
        near = [*path.parent.glob("*.yaml"), *(places.project() / "params").glob("*/*.yaml")]
        meant = did_you_mean(str(path), map(_shown, sorted(near)))
        raise ParameterError(f"{path}: there is no such file.{meant}") from None
    data = parse_yaml(text, str(path))
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ParameterError(f"{path}: expected a mapping of parameters, got {data!r}.")
    return data


def parse_yaml(text: str, where: str) -> Any:
    """Return the value of a YAML 1.2 text.

    Raises:
        ParameterError: with line and column of what is not YAML.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = str(getattr(error, "problem", error)).splitlines()[0]
        raise ParameterError(f"{where}: {place}not valid YAML: {problem}.") from None


def merged(base: Mapping[str, Any], over: Mapping[str, Any], replaced: tuple[str, ...]) -> dict[str, Any]:
    """Return ``base`` changed by ``over``, key by key; another ``name`` replaces the whole mapping."""
    result = dict(base)
    for key, value in over.items():
        old = base.get(key)
        if key in replaced or not (isinstance(value, Mapping) and isinstance(old, Mapping)):
            result[key] = value
        elif "name" in value and value["name"] != old.get("name"):
            result[key] = value  # the settings of one part mean nothing to another
        else:
            result[key] = merged(old, value, ())
    return result


def numbers(value: Any) -> Any:
    """Return ``value`` with texts such as ``1e-3`` as numbers; papermill's YAML 1.1 reads them as text."""
    if isinstance(value, Mapping):
        return {key: numbers(own) for key, own in value.items()}
    if isinstance(value, list):
        return [numbers(own) for own in value]
    return float(value) if isinstance(value, str) and SCIENTIFIC.fullmatch(value) else value


def title(path: Path) -> str:
    """Return the first heading of a notebook: its question."""
    cells = _cells(path)
    lines = "".join(cells[0]["source"]).splitlines() if cells else []
    return lines[0].lstrip("# ") if lines else path.stem


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)

"""Where parameters come from: the notebooks' parameters cells, YAML files, and how later ones change earlier ones."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studylib import places
from studylib.errors import ParameterError, did_you_mean, unknown


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
        ParameterError: no such cell, or a value that is not a literal.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = [c["source"] for c in cells if "parameters" in c["metadata"].get("tags", [])]
    if not sources:
        raise ParameterError(f"{path}: expected one cell tagged 'parameters', found none.")
    values: dict[str, Any] = {}
    for node in ast.parse("".join(sources[0])).body:
        if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)):
            continue
        name = node.targets[0].id
        try:
            values[name] = ast.literal_eval(node.value)
        except ValueError:
            raise ParameterError(f"{path}: {name}: expected a literal, got {ast.unparse(node.value)}.") from None
    return values


def read_yaml(path: Path) -> dict[str, Any]:
    """Return what a params file says, by the rules of YAML 1.2 (``1e-3`` is a number).

    Raises:
        ParameterError: no such file, invalid YAML with line and column, or not a mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        near = [str(p) for p in sorted(path.parent.glob("*.yaml"))]
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ParameterError(f"{path}: {reason}.{did_you_mean(str(path), near)}") from None
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
    from ruamel.yaml import YAML, YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ParameterError(f"{where}: {place}not valid YAML: {getattr(error, 'problem', error)}.") from None


def merged(base: Mapping[str, Any], over: Mapping[str, Any], replaced: tuple[str, ...]) -> dict[str, Any]:
    """Return ``base`` changed by ``over``, key by key; another ``name`` replaces the whole mapping."""
    result = dict(base)
    for key, value in over.items():
        old = base.get(key)
        keep = isinstance(value, Mapping) and isinstance(old, Mapping) and key not in replaced
        renamed = keep and "name" in value and value["name"] != old.get("name")
        result[key] = merged(old, value, ()) if keep and not renamed else value
    return result


def numbers(value: Any) -> Any:
    """Read text that is a number in YAML 1.2 as one: papermill's YAML 1.1 gives ``1e-3`` as text."""
    if isinstance(value, Mapping):
        return {key: numbers(own) for key, own in value.items()}
    if isinstance(value, list):
        return [numbers(own) for own in value]
    if isinstance(value, str) and value[:1] in "+-.0123456789":
        try:
            return float(value) if not value.lstrip("+-").isdigit() else int(value)
        except ValueError:
            return value
    return value


def title(path: Path) -> str:
    """Return the first heading of a notebook: its question."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    lines = "".join(cells[0]["source"]).splitlines() if cells else []
    return lines[0].lstrip("# ") if lines else path.stem

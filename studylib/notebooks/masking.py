"""Secrets among the parameters of a notebook: its cells have used them, its file does not show them."""

from __future__ import annotations

import ast
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from papermill.translators import papermill_translators

from studylib.secrets import MASK, Secrets, masked

if TYPE_CHECKING:
    from nbformat import NotebookNode

INJECTED = "injected-parameters"
SOURCES = {"parameters", INJECTED}


def mask(notebook: NotebookNode) -> None:
    """Mask, in an executed notebook, secrets that were given to it or stand in its parameters cell.

    Known by their names, they are masked where parameters stand, and where else their values got to: what a
    cell printed, returned, drew as text, or raised.
    """
    told = notebook.metadata.get("papermill", {})
    given = told.get("parameters", {})
    secrets = Secrets.among({"given": given, "own": _own(notebook)})
    if not secrets.values:
        return
    if given:
        told["parameters"] = masked(given)
    for cell in notebook.cells:
        if INJECTED in cell.metadata.get("tags", ()):
            cell.source = _assigning(notebook, masked(given), cell.source)
        cell.source = secrets.scrubbed(cell.source)
        for output in cell.get("outputs", ()):
            output.update(secrets.scrubbed(dict(output)))


def _assigning(notebook: NotebookNode, parameters: dict[str, Any], source: str) -> str:
    """Return the cell that sets ``parameters``, under the comment that papermill had put above it."""
    spec = notebook.metadata.get("kernelspec", {})
    language = spec.get("language", "python")
    comment = source.partition("\n")[0].lstrip("#/ ")
    with suppress(Exception):  # another language; what is not said anew is scrubbed
        translator = papermill_translators.find_translator(spec.get("name", ""), language)
        return str(translator.codify(parameters, comment)).replace(json.dumps(MASK)[1:-1], MASK)
    return source


def _own(notebook: NotebookNode) -> dict[str, Any]:
    """Return what cells of parameters assign by themselves; nothing of what is no literal."""
    found: dict[str, Any] = {}
    for cell in notebook.cells:
        if SOURCES & set(cell.metadata.get("tags", ())):
            with suppress(SyntaxError):
                for node in ast.parse(cell.source).body:
                    if isinstance(node, ast.Assign):
                        with suppress(ValueError):
                            found |= {ast.unparse(node.targets[0]): ast.literal_eval(node.value)}
    return found

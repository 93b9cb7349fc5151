"""Which fits a run needs: pure data, each with a key made of everything that decides its numbers."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from studylib.params import StudyParams

DECIDING_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch")
DECIDING_CODE = (
    "datasets",
    "regularizers",
    "models",
    "trainers",
    "components",
    "metrics",
    "seeds",
    "statistics",
)


@final
@dataclass(frozen=True)
class FitSpec:
    """One arm with one seed, as pure data: what a worker needs, and nothing else.

    Attributes:
        dataset, model: ``{"name": …}`` with every setting.
        regularizers: ``{name: {setting: value}}``.
        training: every setting of ``studylib.trainers.base.Training``.
        device: "cpu" or "cuda", whose numbers differ in the last digits.
        content: sha256 of the dataset's whole content.
        code: sha256 of the code that decides numbers.
        versions: of the packages that decide numbers.
    """

    dataset: Mapping[str, Any]
    model: Mapping[str, Any]
    regularizers: Mapping[str, Mapping[str, Any]]
    training: Mapping[str, Any]
    seed: int
    device: str
    content: str
    code: str
    versions: Mapping[str, str]

    @cached_property
    def key(self) -> str:
        """The sha256 of all of it: equal keys, equal numbers."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def plan(params: StudyParams, content: str, device: str) -> dict[tuple[str, int], FitSpec]:
    """Return the specification of each (arm, seed) of a run, on a dataset of that ``content`` hash."""
    return {
        (arm.name, seed): FitSpec(
            dataset=params.dataset.named_settings(),
            model=arm.model.named_settings(),
            regularizers=arm.regularizers,
            training=arm.training.model_dump(mode="json"),
            seed=seed,
            device=device,
            content=content,
            code=code_hash(),
            versions=versions(),
        )
        for arm in params.arms
        for seed in range(params.seeds)
    }


@cache
def versions() -> dict[str, str]:
    """Return the versions of the packages that decide numbers."""
    return {package: version(package) for package in DECIDING_PACKAGES}


@cache
def code_hash() -> str:
    """Return the sha256 of the syntax trees of layers 0 to 2, without docstrings and comments."""
    digest = sha256()
    for path in _deciding_files(Path(__file__).parent):
        digest.update(path.name.encode())
        digest.update(syntax_hash(path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()


def _deciding_files(package: Path) -> list[Path]:
    files = [package / f"{name}.py" for name in DECIDING_CODE if (package / f"{name}.py").exists()]
    folders = [package / name for name in DECIDING_CODE if (package / name).is_dir()]
    return sorted([*files, *(path for folder in folders for path in folder.glob("*.py"))])


def syntax_hash(source: str) -> str:
    """Return the sha256 of what ``source`` does: rewording a docstring or a comment does not change it."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node) is not None
            node.body = node.body[documented:]
    return sha256(ast.dump(tree).encode()).hexdigest()

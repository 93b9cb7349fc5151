"""Does a regularization technique help on a kind of problem, by how much, and how sure are we?

>>> from studylib import run_study, study_params
>>> record = run_study(study_params("vision", seeds=3))
>>> record.to_frame()
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# where each public name lives; loaded when first asked for, so that `import studylib` costs nothing
_MODULES = ("compare", "regularizers")
_HOMES = {
    "run_study": "studylib.study",
    "study_params": "studylib.params",
    "Record": "studylib.records",
    "StudyError": "studylib.errors",
    "ParameterError": "studylib.errors",
}
__all__ = ["ParameterError", "Record", "StudyError", "compare", "regularizers", "run_study", "study_params"]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"studylib.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'studylib' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

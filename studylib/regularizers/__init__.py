"""Regularizers, one file each; the folder is the list.

``make("l1", strength=0.1)`` builds one, ``EXAMPLES["l1"]`` is a typical one.
"""

from __future__ import annotations

from typing import Any

from studylib.components import Catalogue
from studylib.regularizers.base import Regularizer

CATALOGUE: Catalogue[Regularizer] = Catalogue("regularizer", __name__, list(__path__))


def make(name: str, **settings: Any) -> Regularizer:
    """Build the regularizer called ``name`` in a params file.

    Raises:
        ParameterError: unknown name or setting, wrong type, or out of range.
    """
    return CATALOGUE.make(name, settings)


def __getattr__(name: str) -> dict[str, Regularizer]:
    # computed on demand: reading all examples imports all files, and most callers need one
    if name == "EXAMPLES":
        return {known: CATALOGUE.example(known) for known in CATALOGUE}
    raise AttributeError(name)

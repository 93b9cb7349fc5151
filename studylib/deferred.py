"""Put off what a library loads with every import and almost nobody uses, until somebody uses it.

jsonschema, which all notebook tools import, builds a parser for the grammar of web addresses of RFC 3987:
that takes longer than all else that papermill or nbconvert imports, and no notebook is checked by it.
Importing this module before them leaves the grammar to whoever is the first to check such an address.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from typing import Any

GRAMMAR = "rfc3987_syntax"


def _put_off(spec: ModuleSpec) -> None:
    """Put the module of ``spec`` where imports find it; its code runs when a name of it is first used."""
    module = module_from_spec(spec)

    def load(name: str) -> Any:
        if vars(module).pop("__getattr__", None) and spec.loader is not None:
            del module.is_valid_syntax
            spec.loader.exec_module(module)
        return getattr(module, name)

    def is_valid_syntax(term: str, value: str) -> bool:
        return bool(load("is_valid_syntax")(term, value))

    module.__getattr__ = load  # type: ignore[method-assign]
    module.is_valid_syntax = is_valid_syntax  # type: ignore[attr-defined]  # what jsonschema imports
    sys.modules[spec.name] = module


if GRAMMAR not in sys.modules and (_spec := find_spec(GRAMMAR)):
    _put_off(_spec)

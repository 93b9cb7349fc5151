"""Pictures of a record: ``draw_<name>`` lives in ``<name>.py``, and the folder is the list.

Every ``draw_`` function returns a ``Picture``, which a notebook shows. Matplotlib is imported with the first.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

_NOT_DRAWING = {"intervals", "picture", "slim", "style", "words"}
_NAMES = [m.name for m in iter_modules(__path__) if not m.name.startswith("_")]
_DRAWINGS = {f"draw_{name}": name for name in _NAMES if name not in _NOT_DRAWING}

__all__ = ["Picture", *sorted(_DRAWINGS)]  # noqa: PLE0604  # strings all: the folder says which


def __getattr__(name: str) -> Any:
    module = "picture" if name == "Picture" else _DRAWINGS.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return __all__

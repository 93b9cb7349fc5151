"""Parts that are found by their folder: regularizers, datasets, models.

A part is one file with a docstring, one final frozen class and an ``EXAMPLE`` of it. Nothing has to be
registered: the folder is the list. Names are read from the folder without importing a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from studylib.errors import ParameterError, did_you_mean, unknown

C = TypeVar("C", bound="Component")
B = TypeVar("B", bound=BaseModel)


class Component(BaseModel):
    """A frozen, strictly checked bundle of settings; every concrete part is one of these."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)
    kind: ClassVar[str]

    @property
    def name(self) -> str:
        """Name of the part: that of its file."""
        return type(self).__module__.rsplit(".", 1)[-1]

    def named_settings(self) -> dict[str, Any]:
        """Return ``{"name": …}`` with every setting, defaults included: what a file would have to say."""
        return {"name": self.name, **self.model_dump(mode="json")}

    @classmethod
    def summary(cls) -> str:
        """Return the first sentence of the docstring, in one line."""
        return " ".join((cls.__doc__ or "").split("\n\n")[0].split())

    @classmethod
    def settings(cls) -> dict[str, dict[str, Any]]:
        """Return type, default, range and meaning of each setting, as JSON schema says them."""
        schema = cls.model_json_schema()
        required = schema.get("required", [])
        return {
            name: {k: v for k, v in field.items() if k != "title"} | {"required": name in required}
            for name, field in schema.get("properties", {}).items()
        }


class Catalogue(Mapping[str, type[C]], Generic[C]):
    """The parts of one folder by name: ``catalogue[name]`` is the class, imported when asked for."""

    def __init__(self, noun: str, package: str, path: list[str]) -> None:
        self.noun = noun
        self._package = package
        self._path = path

    @cached_property
    def _names(self) -> tuple[str, ...]:
        names = (module.name for module in iter_modules(self._path))
        return tuple(sorted(n for n in names if n != "base" and not n.startswith("_")))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> type[C]:
        return type(self.example(name))

    def example(self, name: str) -> C:
        """Return the ``EXAMPLE`` of the part called ``name``.

        Raises:
            ParameterError: no file of that name is in the folder.
        """
        if name not in self._names:
            raise unknown(self.noun, name, self._names)
        return cast("C", import_module(f"{self._package}.{name}").EXAMPLE)

    def make(self, name: str, settings: Mapping[str, Any], where: str = "") -> C:
        """Build the part called ``name``; errors are told with the place ``where`` it was asked for.

        Raises:
            ParameterError: unknown name, unknown setting, wrong type, or out of range.
        """
        if name not in self._names:
            raise unknown(self.noun, name, self._names, where)
        return build(self[name], settings, f"{where}.{name}" if where else name)


def build(cls: type[B], settings: Mapping[str, Any], where: str) -> B:
    """Build ``cls(**settings)``, turning every complaint into one message with its place.

    Raises:
        ParameterError: what was expected, what was found, and the nearest right name.
    """
    try:
        return cls.model_validate(dict(settings))
    except ValidationError as error:
        complaints = [_complaint(e, cls, where) for e in error.errors(include_url=False)]
        raise ParameterError("\n".join(complaints)) from None


def _complaint(error: Any, cls: type[BaseModel], where: str) -> str:
    place = ".".join([where, *(str(part) for part in error["loc"])]).strip(".")
    if error["type"] == "extra_forbidden":
        name, known = str(error["loc"][-1]), sorted(cls.model_fields)
        here = ".".join([where, *(str(part) for part in error["loc"][:-1])]).strip(".")
        listed = ", ".join(known) or "none"
        return f"{here}: unknown setting {name!r}.{did_you_mean(name, known)} Known: {listed}."
    if error["type"] == "missing":
        return f"{place}: missing; it has no default."
    expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return f"{place}: expected {expected}, got {error['input']!r}."

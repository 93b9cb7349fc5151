"""Parts that are found by their folder: regularizers, datasets, models.

A part is one file with a docstring, one final frozen class and an ``EXAMPLE`` of it. Nothing has to be
registered: the folder is the list. Names are read from the folder without importing a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, ClassVar, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from studylib.errors import ParameterError, did_you_mean, nearest, unknown

C = TypeVar("C", bound="Component")
B = TypeVar("B", bound=BaseModel)


JSON_TYPES: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    tuple: "array",
    dict: "object",
    type(None): "null",
}


MAPPING = ("a valid dictionary", "settings such as {name: value}")


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
        """Return type, default, range and meaning of each setting, as JSON schema says them.

        ``type`` is there for every setting; where several are allowed, ``number or array``.
        """
        schema = cls.model_json_schema()
        required = schema.get("required", [])
        return {
            name: {
                "type": _type(field),
                **{key: own for key, own in field.items() if key not in {"type", "title"}},
                "required": name in required,
            }
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

    def __contains__(self, name: object) -> bool:
        return name in self._names

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


def _type(schema: Mapping[str, Any]) -> str:
    """Return the JSON type of a setting: of a choice that of its values, of alternatives all of theirs."""
    if "type" in schema:
        return str(schema["type"])
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    branches = [*schema.get("anyOf", []), *schema.get("oneOf", []), *schema.get("allOf", [])]
    types = [JSON_TYPES[type(value)] for value in values] + [_type(branch) for branch in branches]
    return " or ".join(dict.fromkeys(types)) or "object"


def build(cls: type[B], settings: Mapping[str, Any], where: str) -> B:
    """Build ``cls(**settings)``, turning every complaint into one message with its place.

    Raises:
        ParameterError: what was expected, what was found, and the nearest right name.
    """
    try:
        return cls.model_validate(dict(settings))
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise ParameterError("\n".join(_complaint(e, cls, where) for e in _causes(found, cls))) from None


def _causes(errors: Sequence[Any], cls: type[BaseModel]) -> list[Any]:
    """Return the errors without those that only follow from another one."""
    strangers = [error["loc"][-1] for error in errors if error["type"] == "extra_forbidden"]
    meant = {nearest(str(name), _fields(cls)) for name in strangers}
    lists = [error["loc"][:-1] for error in errors]  # one whose items are all refused is counted as empty
    return [
        error
        for error in errors
        if not (error["type"] == "missing" and error["loc"][-1] in meant)
        and not (error["type"] == "too_short" and error["loc"] in lists)
    ]


def _fields(cls: type[BaseModel]) -> list[str]:
    """Return the settings of ``cls`` as they are written: one may have another name in Python."""
    return [field.alias or name for name, field in cls.model_fields.items()]


def _complaint(error: Any, cls: type[BaseModel], where: str) -> str:
    place = ".".join([where, *(str(part) for part in error["loc"])]).strip(".")
    if error["type"] == "extra_forbidden":
        name, known = str(error["loc"][-1]), sorted(_fields(cls))
        here = ".".join([where, *(str(part) for part in error["loc"][:-1])]).strip(".")
        listed = ", ".join(known) or "none"
        return f"{here}: unknown setting {name!r}.{did_you_mean(name, known)} Known: {listed}."
    if error["type"] == "missing":
        return f"{place}: missing; it has no default."
    choices = re.findall(r"'([^']*)'", error.get("ctx", {}).get("expected", ""))
    meant = did_you_mean(str(error["input"]), choices)
    return f"{place}: expected {_expected(error['msg'])}, got {error['input']!r}.{meant}"


def _expected(message: str) -> str:
    """Return what pydantic expects, in words that follow "expected": files know lists, not tuples."""
    bare = re.sub(r"^Value error, |^Input should be |^\w+ should have ", "", message)
    return re.sub(r" after validation.*", "", bare).replace("a valid tuple", "a list").replace(*MAPPING)

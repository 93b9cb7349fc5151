"""Laws of every regularizer in the folder: a new file is held to them without being named here."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from studylib.errors import ParameterError
from studylib.regularizers import CATALOGUE, EXAMPLES, make
from studylib.regularizers.base import Layered, Regularizer

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = r"Source: .+ \(\d{4}\), https://(doi\.org/10|arxiv\.org/abs/)\S+"

every_name = pytest.mark.parametrize("name", CATALOGUE)


def wrong_values(setting: dict[str, Any]) -> Iterator[Any]:
    """Yield what a setting must refuse, read off its own listing."""
    yield [1]
    if "enum" in setting:
        yield "neither"
    if setting["type"] == "string":
        yield 3
        return
    yield from ("0.1", "many", True, math.nan, math.inf)
    if "null" not in setting["type"]:
        yield None
    if setting["type"] == "integer":
        yield 1.5
    for bound, outside in (("minimum", -1), ("exclusiveMinimum", 0), ("maximum", 1), ("exclusiveMaximum", 0)):
        if bound in setting:
            yield setting[bound] + outside


def test_the_folder_is_the_list() -> None:
    """Names come sorted, and each is the name of its class in lower case."""
    names = list(CATALOGUE)

    assert names == sorted(names)
    assert {name.replace("_", "") for name in names} == {type(e).__name__.lower() for e in EXAMPLES.values()}


@every_name
def test_a_regularizer_says_what_it_is_and_where_it_comes_from(name: str) -> None:
    """One line of summary, and a source with its year and a DOI or arXiv address."""
    module = import_module(f"studylib.regularizers.{name}")

    assert module.__doc__
    assert re.search(SOURCE, module.__doc__.replace("\n", " "))
    assert 20 < len(CATALOGUE[name].summary()) < 110


@every_name
def test_settings_are_a_listing_that_one_can_work_from(name: str) -> None:
    """Every setting has a meaning, and every number among them a range."""
    for setting in CATALOGUE[name].settings().values():
        assert setting["description"]
        if setting["type"] in ("number", "integer"):
            assert {"minimum", "exclusiveMinimum"} & set(setting)


@every_name
def test_make_gives_the_example_back_from_its_settings(name: str) -> None:
    """Settings written out and read again are the same regularizer, which cannot be changed afterwards."""
    example = EXAMPLES[name]

    assert make(name, **example.model_dump()) == example
    with pytest.raises(ValidationError):
        setattr(example, next(iter(type(example).model_fields)), 0)


@every_name
def test_wrong_settings_are_refused_by_name(name: str) -> None:
    """A value out of range or of another type is an error that names the setting."""
    right = EXAMPLES[name].model_dump()
    for key, setting in CATALOGUE[name].settings().items():
        for value in wrong_values(setting):
            with pytest.raises(ParameterError, match=rf"^{name}\.{key}"):
                make(name, **{**right, key: value})


@every_name
def test_a_layer_pattern_covers_layers_by_name(name: str) -> None:
    """``layers`` is a shell pattern; by default it covers every layer, or those that the docstring names."""
    example: Regularizer = EXAMPLES[name]
    if isinstance(example, Layered):
        default = type(example).model_fields["layers"].default
        every = example.model_copy(update={"layers": "*"})
        some = example.model_copy(update={"layers": "hidden*"})

        assert default == "*" or f"``{default}`` by default" in (type(example).__doc__ or "")
        assert every.covers("hidden1")
        assert every.covers("output")
        assert some.covers("hidden1")
        assert not some.covers("output")


def test_parameters_are_checked_without_torch() -> None:
    """Making every regularizer imports none of the heavy libraries."""
    program = (
        "import sys, studylib.regularizers as r\n"
        "assert r.make('l1', strength=0.1) and r.EXAMPLES\n"
        "print({'torch', 'numpy', 'scipy', 'pandas', 'sklearn'} & set(sys.modules))"
    )

    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"set()\n"
    )

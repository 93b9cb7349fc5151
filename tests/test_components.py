"""Parts found by their folder: strict settings, errors that help, names without imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, final

import pytest
from pydantic import Field, ValidationError

from studylib import datasets, models, regularizers
from studylib.components import Catalogue, Component, build
from studylib.errors import ParameterError

CATALOGUES: tuple[Catalogue[Any], ...] = (regularizers.CATALOGUE, datasets.CATALOGUE, models.CATALOGUE)
PARTS = [(catalogue, name) for catalogue in CATALOGUES for name in catalogue]
every_part = pytest.mark.parametrize(("catalogue", "name"), PARTS, ids=[name for _, name in PARTS])


@final
class Part(Component):
    """One of everything that a setting can be.

    And a second paragraph.
    """

    kind: ClassVar[str] = "test part"

    share: Annotated[float, Field(ge=0, le=1, description="of what")]
    count: Annotated[int, Field(ge=1)] = 3
    axis: Literal["horizontal", "vertical"] = "horizontal"
    widths: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False, min_length=1)] = (3, 4)
    limit: float | None = None


def complaint(**settings: Any) -> str:
    """Return what is said to someone who asks for a Part with these settings."""
    with pytest.raises(ParameterError) as caught:
        build(Part, settings, "arms.mine.part")
    return str(caught.value)


@every_part
def test_the_folder_is_the_list(catalogue: Catalogue[Any], name: str) -> None:
    """A part has the name of its file, is in its catalogue, and is of the class of its example."""
    example = catalogue.example(name)

    assert example.name == name
    assert name in catalogue
    assert type(example) is catalogue[name]


@every_part
def test_named_settings_make_the_same_part_again(catalogue: Catalogue[Any], name: str) -> None:
    """What a record says of a part is enough to build it, after a round trip through JSON."""
    example = catalogue.example(name)
    said = json.loads(json.dumps(example.named_settings()))

    assert said.pop("name") == name
    assert catalogue.make(name, said) == example


@every_part
def test_parts_are_frozen_and_refuse_what_they_do_not_know(catalogue: Catalogue[Any], name: str) -> None:
    """No setting is changed after it was checked, and none is ignored."""
    example = catalogue.example(name)
    for setting in type(example).model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(example, setting, getattr(example, setting))
    with pytest.raises(ParameterError, match="unknown setting 'no_such_setting'"):
        catalogue.make(name, {**example.model_dump(mode="json"), "no_such_setting": 1})


@every_part
def test_every_setting_has_its_type_and_its_default(catalogue: Catalogue[Any], name: str) -> None:
    """A form could be made from the list: type, and a default unless the setting is required."""
    cls = catalogue[name]

    assert list(cls.settings()) == [field.alias or name for name, field in cls.model_fields.items()]
    for setting in cls.settings().values():
        assert isinstance(setting["type"], str)
        assert ("default" in setting) != setting["required"]


@every_part
def test_a_summary_is_one_line(catalogue: Catalogue[Any], name: str) -> None:
    """The first paragraph of the docstring, so that a list stays a list."""
    summary = catalogue[name].summary()

    assert summary
    assert "\n" not in summary


def test_the_summary_ends_with_the_first_paragraph() -> None:
    """What follows is for those who open the file."""
    assert Part.summary() == "One of everything that a setting can be."


def test_a_setting_is_described_by_type_range_and_meaning() -> None:
    """Choices and alternatives have a type too, and the other words of the JSON schema stay."""
    settings = Part.settings()

    assert settings["share"] == {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "of what",
        "required": True,
    }
    assert {name: own["type"] for name, own in settings.items()} == {
        "share": "number",
        "count": "integer",
        "axis": "string",
        "widths": "array",
        "limit": "number or null",
    }
    assert settings["axis"]["enum"] == ["horizontal", "vertical"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "arms.mine.part.share: missing; it has no default."),
        ({"share": 1.5}, "arms.mine.part.share: expected less than or equal to 1, got 1.5."),
        ({"share": "fast"}, "arms.mine.part.share: expected a valid number, got 'fast'."),
        ({"share": float("nan")}, "arms.mine.part.share: expected a finite number, got nan."),
        ({"share": True}, "arms.mine.part.share: expected a valid number, got True."),
        ({"share": 0, "count": 2.0}, "arms.mine.part.count: expected a valid integer, got 2.0."),
        ({"share": 0, "count": "3"}, "arms.mine.part.count: expected a valid integer, got '3'."),
        ({"share": 0, "widths": []}, "arms.mine.part.widths: expected at least 1 item, got []."),
        (
            {"share": 0, "widths": [3, 0]},
            "arms.mine.part.widths.1: expected greater than or equal to 1, got 0.",
        ),
        ({"share": 0, "widths": [0]}, "arms.mine.part.widths.0: expected greater than or equal to 1, got 0."),
        ({"share": 0, "widths": 3}, "arms.mine.part.widths: expected a list, got 3."),
        (
            {"share": 0, "axis": "horizontl"},
            (
                "arms.mine.part.axis: expected 'horizontal' or 'vertical', got 'horizontl'."
                " Did you mean 'horizontal'?"
            ),
        ),
        (
            {"share": 0, "cuont": 3},
            (
                "arms.mine.part: unknown setting 'cuont'. Did you mean 'count'?"
                " Known: axis, count, limit, share, widths."
            ),
        ),
    ],
)
def test_a_complaint_says_where_what_was_expected_and_what_was_found(
    settings: dict[str, Any], message: str
) -> None:
    """One line for one mistake."""
    assert complaint(**settings) == message


def test_a_misspelt_setting_is_not_missed_as_well() -> None:
    """One mistake, one line: the setting that was meant is named, and not said to be missing too."""
    assert complaint(shaer=0.5) == (
        "arms.mine.part: unknown setting 'shaer'. Did you mean 'share'?"
        " Known: axis, count, limit, share, widths."
    )


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody mends one line to be told of the next."""
    share, count, stranger = complaint(share=2, count=0, axxis=1).splitlines()

    assert share == "arms.mine.part.share: expected less than or equal to 1, got 2."
    assert count == "arms.mine.part.count: expected greater than or equal to 1, got 0."
    assert stranger.startswith("arms.mine.part: unknown setting 'axxis'. Did you mean 'axis'?")


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda catalogue: catalogue.noun)
def test_an_unknown_part_is_answered_with_all_that_there_are(catalogue: Catalogue[Any]) -> None:
    """Asking for one that is not there, in any way, names the nearest one and the whole list."""
    known = next(iter(catalogue))
    typed = f"{known}x"
    with pytest.raises(ParameterError) as caught:
        catalogue.make(typed, {}, "here")

    assert typed not in catalogue
    assert str(caught.value) == (
        f"here: unknown {catalogue.noun} {typed!r}. Did you mean {known!r}? Known: {', '.join(catalogue)}."
    )
    for ask in (catalogue.example, catalogue.__getitem__):
        with pytest.raises(ParameterError, match=f"Did you mean {known!r}"):
            ask(typed)


def test_names_are_known_without_importing_a_part() -> None:
    """An error message lists every regularizer, and none of their files is run for it."""
    program = (
        "import sys\n"
        "from studylib import datasets, models, regularizers\n"
        "kinds = (regularizers, datasets, models)\n"
        "names = [f'{k.__name__}.{n}' for k in kinds for n in k.CATALOGUE]\n"
        "print(len(names), sum(n in sys.modules for n in names))\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert told.split() == [str(len(PARTS)), "0"]


def test_files_that_are_shared_by_neighbours_are_no_parts() -> None:
    """base.py and names that start with an underscore stand in the folder and not in the list."""
    for catalogue, package in zip(CATALOGUES, (regularizers, datasets, models), strict=True):
        files = {path.stem for path in Path(str(package.__file__)).parent.glob("*.py")}

        assert {name for name in files if not name.startswith("_")} - {"base"} == set(catalogue)
        assert len(catalogue) == len(set(catalogue))


def test_regularizers_are_made_by_name_and_have_examples() -> None:
    """The two public doors: make, and EXAMPLES with one of each."""
    assert regularizers.make("l1", strength=0.1).model_dump() == {"layers": "*", "strength": 0.1}
    assert regularizers.EXAMPLES.keys() == set(regularizers.CATALOGUE)
    with pytest.raises(ParameterError, match=r"rate: expected less than 1, got 1\.5"):
        regularizers.make("dropout", rate=1.5)

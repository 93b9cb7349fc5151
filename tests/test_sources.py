"""Where parameters come from: cells that are read and not run, YAML 1.2, and how layers merge."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from studylib import places, sources
from studylib.errors import ParameterError

TREES: tuple[dict[str, Any], ...] = (
    {},
    {"seeds": 3},
    {"training": {"epochs": 5}},
    {"training": {"epochs": 7, "batch_size": 8}, "seeds": 2},
    {"dataset": {"name": "digits", "train": 60}},
    {"dataset": {"train": 90}},
    {"arms": {"none": {}, "l1": {"l1": {"strength": 0.1}}}},
)


def notebook(folder: Path, *cells: str, tag: str = "parameters") -> Path:
    """Write a notebook of code cells that all carry the tag."""
    path = folder / "imaginary.ipynb"
    made = [{"cell_type": "code", "metadata": {"tags": [tag]}, "source": cell} for cell in cells]
    path.write_text(json.dumps({"cells": made}), encoding="utf-8")
    return path


def yaml(folder: Path, text: str | bytes) -> dict[str, Any]:
    """Write a params file and read it."""
    path = folder / "run.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return sources.read_yaml(path)


def test_the_parameters_cell_is_read_as_python_reads_it(tmp_path: Path) -> None:
    """Comments, annotations, several lines, and what a regular expression would stumble over."""
    cell = (
        '# a comment with seeds = 99\nseeds: int = 3  # = 4\nurl = "a=b#c"\narms = {\n    "none": {},\n'
        '    "λ .1": {"l1": {"strength": 1e-1}},\n}\nsmallest_effect = -0.5\nimport os\n'
    )

    assert sources.read_cell(notebook(tmp_path, cell)) == {
        "seeds": 3,
        "url": "a=b#c",
        "arms": {"none": {}, "λ .1": {"l1": {"strength": 0.1}}},
        "smallest_effect": -0.5,
    }


def test_the_parameters_cell_is_not_run(tmp_path: Path) -> None:
    """A value that would have to be computed is refused by name, and nothing is computed."""
    trace = tmp_path / "trace"
    path = notebook(tmp_path, f"seeds = open({str(trace)!r}, 'w')")
    with pytest.raises(ParameterError, match=r"imaginary.ipynb: seeds: expected a literal, got open\("):
        sources.read_cell(path)

    assert not trace.exists()


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ((), "expected one cell tagged 'parameters', found none"),
        (("a = 1", "b = 2"), "expected one cell tagged 'parameters', found 2"),
        (("a = (",), r"parameters cell, line 1: '\(' was never closed"),
    ],
)
def test_a_notebook_without_readable_parameters_is_named(
    cells: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    """No such cell, more than one, or no Python."""
    with pytest.raises(ParameterError, match=f"imaginary.ipynb: {message}"):
        sources.read_cell(notebook(tmp_path, *cells))


@pytest.mark.parametrize("body", ["", "{}", "[]", "not json"])
def test_a_file_that_is_no_notebook_is_named(body: str, tmp_path: Path) -> None:
    """Whatever ends in .ipynb among the notebooks may be asked for."""
    path = tmp_path / "imaginary.ipynb"
    path.write_text(body, encoding="utf-8")
    with pytest.raises(ParameterError, match=r"imaginary\.ipynb: expected a notebook"):
        sources.read_cell(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        (".5", 0.5),
        ("-1", -1),
        ("0o10", 8),
        ("010", 10),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("fast", "fast"),
        ('"3"', "3"),
        ("true", True),
        ("~", None),
        ("", None),
        ("λ .1", "λ .1"),
        ("{mixup: {alpha: 1.0}}", {"mixup": {"alpha": 1.0}}),
        ("[1, 2]", [1, 2]),
    ],
)
def test_values_follow_yaml_1_2(text: str, value: object) -> None:
    """1e-3 is a number, and no is a word: what papermill's YAML 1.1 turns around."""
    read = sources.parse_yaml(text, "--set x")

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: 3\nseeds: 4\n", 'line 2, column 1: not valid YAML: found duplicate key "seeds"'),
        ("training:\n\t- 3\n", "line 2, column 1: not valid YAML: found character '\\\\t'"),
        ("arms: {a: [1\n", "line 2, column 1: not valid YAML: expected ',' or ']'"),
        ("seeds: 3\n---\nseeds: 4\n", "line 2, column 1: not valid YAML: but found another document"),
        ("a: *b\n", "line 1, column 4: not valid YAML: found undefined alias"),
        (
            "a: !!python/name:os.system\n",
            "line 1, column 4: not valid YAML: could not determine a constructor",
        ),
        ("a: \x00\n", "not valid YAML: unacceptable character"),
        ("- 1\n- 2\n", r"expected a mapping of parameters, got \[1, 2\]"),
        ("just words", "expected a mapping of parameters, got 'just words'"),
        (b"seeds: \xff\n", "expected a file in YAML: not UTF-8 text"),
        ("seeds: 3\n".encode("utf-16"), "expected a file in YAML: not UTF-8 text"),
    ],
)
def test_a_file_that_is_not_yaml_is_told_with_line_and_column(
    text: str | bytes, message: str, tmp_path: Path
) -> None:
    """In one line, with the name of the file first."""
    with pytest.raises(ParameterError, match=f"run.yaml: {message}") as caught:
        yaml(tmp_path, text)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "~"])
def test_an_empty_file_changes_nothing(text: str, tmp_path: Path) -> None:
    """A run may say nothing that differs."""
    assert yaml(tmp_path, text) == {}


def test_a_byte_order_mark_and_windows_lines_are_no_obstacle(tmp_path: Path) -> None:
    """As some editors write it."""
    assert yaml(tmp_path, b"\xef\xbb\xbfseeds: 3\r\nmetric: test_nll\r\n") == {
        "seeds": 3,
        "metric": "test_nll",
    }


def test_a_missing_file_is_answered_with_the_nearest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file beside it that was probably meant, or that of the project."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wide.yaml").touch()
    with pytest.raises(ParameterError, match=r"wid.yaml: there is no such file. Did you mean 'wide.yaml'\?"):
        sources.read_yaml(Path("wid.yaml"))
    with pytest.raises(ParameterError, match=r"Did you mean '.*params/vision/smoke.yaml'\?"):
        sources.read_yaml(places.project() / "param/vision/smoke.yaml")


def test_a_folder_is_no_params_file(tmp_path: Path) -> None:
    """And it is not offered as what was meant."""
    with pytest.raises(ParameterError, match=r"expected a file in YAML: Is a directory\.$"):
        sources.read_yaml(tmp_path)


@pytest.mark.parametrize("base", TREES)
def test_merging_nothing_and_merging_oneself_change_nothing(base: dict[str, Any]) -> None:
    """The neutral element, and idempotence."""
    assert sources.merged(base, {}, ()) == base
    assert sources.merged({}, base, ()) == base
    assert sources.merged(base, base, ()) == base


def test_merging_layers_in_turn_or_beforehand_is_the_same() -> None:
    """Associativity: it does not matter which of the layers are joined first; the last one holds."""
    for a, b, c in product(TREES, repeat=3):
        in_turn = sources.merged(sources.merged(a, b, ()), c, ())

        assert in_turn == sources.merged(a, sources.merged(b, c, ()), ())
        assert sources.merged(in_turn, c, ()) == in_turn


def test_merging_leaves_its_layers_as_they_were() -> None:
    """Layers are shared between runs."""
    first, second = TREES[2:4]
    before = json.dumps([first, second])
    sources.merged(first, second, ())

    assert json.dumps([first, second]) == before


def test_another_name_replaces_the_whole_part() -> None:
    """The settings of one dataset mean nothing to another; the same name, or none, changes single ones."""
    base: dict[str, Any] = {"dataset": {"name": "digits", "train": 60}}

    assert sources.merged(base, {"dataset": {"name": "diabetes"}}, ()) == {"dataset": {"name": "diabetes"}}
    kept = {"dataset": {"name": "digits", "train": 60, "validation": 9}}
    assert sources.merged(base, {"dataset": {"name": "digits", "validation": 9}}, ()) == kept
    assert sources.merged(base, {"dataset": {"validation": 9}}, ()) == kept


def test_replaced_keys_are_not_merged() -> None:
    """The arms of a file are the arms, not more of them."""
    base: dict[str, Any] = {"arms": {"none": {}, "l1": {}}}

    assert sources.merged(base, {"arms": {"x": {}}}, ("arms",)) == {"arms": {"x": {}}}
    assert list(sources.merged(base, {"arms": {"x": {}}}, ())["arms"]) == ["none", "l1", "x"]


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("1e-3", 1e-3),
        ("+2E5", 2e5),
        ("1.5e3", 1500.0),
        (".5e-2", 0.005),
        ("fast", "fast"),
        ("3", "3"),
        ("1e", "1e"),
        ("1e-3 m", "1e-3 m"),
        ("nan", "nan"),
        ("1_0e3", "1_0e3"),
        ("e5", "e5"),
        (True, True),
        (3, 3),
        (None, None),
    ],
)
def test_text_that_yaml_1_2_reads_as_a_number_is_one(given: object, understood: object) -> None:
    """Papermill gives 1e-3 of a file as text; what was quoted, or is no number, stays text."""
    read = sources.numbers({"a": [given, {"b": given}]})

    assert read == {"a": [understood, {"b": understood}]}
    assert type(read["a"][0]) is type(understood)


def test_the_title_of_a_notebook_is_its_question() -> None:
    """What is listed is the first heading."""
    for study in sources.studies():
        assert sources.title(sources.notebook(study)).endswith("?")


def test_an_unknown_study_is_answered_with_the_nearest_one() -> None:
    """And with all that there are."""
    with pytest.raises(
        ParameterError, match=r"unknown study 'visoin'. Did you mean 'vision'\? Known: forecasting,"
    ):
        sources.notebook("visoin")
    with pytest.raises(ParameterError, match="unknown study"):
        sources.notebook("../notebooks/vision")

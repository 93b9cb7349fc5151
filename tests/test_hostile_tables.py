"""Tables that cannot be used end in one message, with file, row and column, before anything is started."""

from __future__ import annotations

import gzip
import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from studylib import datasets
from studylib.errors import ParameterError
from studylib.runs import from_command_line

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 60
GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.normal(size=ROWS).round(3), GENERATOR.normal(size=ROWS).round(3)


def table(**columns: Any) -> str:
    """Return a CSV of ``x``, ``y`` and what is given, row by row."""
    whole = {"x": X, "y": Y} | columns
    rows = zip(*(map(str, column) for column in whole.values()), strict=True)
    return "\n".join([",".join(whole), *map(",".join, rows)]) + "\n"


def changed(row: int, line: str, text: str = "") -> str:
    """Return a CSV whose ``row``, counted as a spreadsheet does, is ``line``."""
    lines = (text or table()).splitlines()
    lines[row - 1] = line
    return "\n".join(lines) + "\n"


def said(path: Path, **settings: Any) -> str:
    """Return what is said of the table at ``path`` before anything starts."""
    with pytest.raises(ParameterError) as caught:
        datasets.CATALOGUE.make("csv", {"path": str(path), "target": "y"} | settings).refuse_unusable()
    return str(caught.value).replace(f"{path.parent}/", "")


GROUPS = [f"g{number % 2}" for number in range(ROWS)]
CLASSES = ["a", "b"] * (ROWS // 2)
HOSTILE: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "a missing column": (
        table(),
        {"target": "prise"},
        ("dataset.target", "no column 'prise'", "Columns: x, y"),
    ),
    "a near column": (table(price=Y), {"target": "Price"}, ("Did you mean 'price'?",)),
    "a missing group": (table(), {"group": "z"}, ("dataset.group", "no column 'z'")),
    "two columns of one name": (changed(1, "y,y"), {}, ("row 1: columns 1 and 2 are both named 'y'",)),
    "no names at all": (changed(1, "1.5,2.5"), {}, ("row 1: expected names of columns, got numbers",)),
    "names alone": ("x,y\n", {}, ("expected rows below the names of the columns, got none",)),
    "nothing": ("", {}, ("the file is empty",)),
    "few rows": ("x,y\n1,2\n3,4\n", {}, ("at least 10 rows for train, got 1 (2 rows",)),
    "the target alone": ("y\n" + "1.5\n2.5\n" * 30, {}, ("expected a column to predict 'y' from, got none",)),
    "one class": (table(y=["a"] * ROWS), {}, ("column 'y': every row is of the class 'a'",)),
    "one number": (table(y=[3.5] * ROWS), {}, ("column 'y': the target is 3.5 in every row",)),
    "a missing target": (changed(7, "1,"), {}, ("row 7, column 'y': the target is missing in 1 row",)),
    "NaN as a target": (changed(7, "1,NaN"), {}, ("row 7, column 'y': the target is missing",)),
    "an infinite target": (
        changed(9, "1,-inf"),
        {},
        ("row 9, column 'y': expected a finite target, got -inf",),
    ),
    "an infinite cell": (changed(9, "inf,1"), {}, ("row 9, column 'x': expected a finite number, got inf",)),
    "ids as a target": (table(y=[f"id{n}" for n in range(ROWS)]), {}, ("column 'y': 60 different classes",)),
    "a count as a target": (table(y=range(ROWS)), {}, ("column 'y': it counts the rows: is it an id?",)),
    "a text in the target": (
        changed(5, "1,cheap"),
        {},
        ("row 5, column 'y': expected a number, got 'cheap'", "dataset.task=classification"),
    ),
    "texts for a regression": (
        table(y=CLASSES),
        {"task": "regression"},
        ("row 2, column 'y': expected a number, got 'a'",),
    ),
    "mixed types": (
        changed(12, "many,1"),
        {},
        ("row 12, column 'x': expected a number, as in 59 other rows, got 'many'", "dataset.categories=[x]"),
    ),
    "ids": (
        table(who=[f"p{n}" for n in range(ROWS)]),
        {},
        (
            "column 'who': 60 different texts in 60 rows, such as 'p0': is it an id?",
            "dataset.leave_out=[who]",
        ),
    ),
    "a count of the rows": (
        table(n=range(1, ROWS + 1)),
        {},
        ("column 'n': it counts the rows: is it an id?",),
    ),
    "thousands": (
        table(y=[f'"1,{n:03}"' for n in range(ROWS)]),
        {},
        ("row 2, column 'y': expected a number, got '1,000'", "without separators between thousands"),
    ),
    "decimal commas": (
        table(z=[f'"{n},5"' for n in range(ROWS)]),
        {},
        ("row 2, column 'z': expected a number, got '0,5'", "with a decimal point"),
    ),
    "dates of a country": (
        table(day=[f"{1 + n % 28}.{1 + n // 28}.2024" for n in range(ROWS)]),
        {},
        ("column 'day': is '1.1.2024' a time? Write it as 2024-01-31",),
    ),
    "no times": (table(t=CLASSES), {"time": "t"}, ("row 2, column 't': expected a time such as 2024-01-31",)),
    "a missing group cell": (
        changed(4, "1,2,", table(g=GROUPS)),
        {"group": "g"},
        ("row 4, column 'g': expected a value, got a missing cell",),
    ),
    "two groups": (
        table(g=GROUPS),
        {"group": "g"},
        ("expected at least 3 groups, one for each part, got 2",),
    ),
    "a group and a time": (
        table(g=GROUPS, t=X),
        {"group": "g", "time": "t"},
        ("a group or a time, got both",),
    ),
    "a class of the test alone": (
        table(y=["a", "b"] * 29 + ["b", "c"], t=range(ROWS)),
        {"time": "t"},
        ("row 61, column 'y': the class 'c' has 1 row, none among the train rows",),
    ),
    "a long row": (changed(5, "1,2,3"), {}, ("row 5: expected 2 columns, got 3: '1,2,3'",)),
    "a short row": (changed(5, "1"), {}, ("row 5: expected 2 columns, got 1: '1'",)),
    "an open quote": (changed(5, '"1,2'), {}, ("row 5: a quote opens in this row and never closes",)),
    "an open quote at the end": (changed(5, '1,"2'), {}, ("row 5: a quote opens in this row",)),
    "an open quote before others": (
        changed(5, '"1,2', table(z=['"q"'] * ROWS)),
        {},
        ("row 5: a quote opens in this row",),
    ),
    "10 000 columns": (
        ",".join(["y", *(f"x{n}" for n in range(10_000))]) + "\n" + ("1" + ",0" * 10_000 + "\n") * 3,
        {},
        ("expected at most 8,000 columns to predict from, got 10,000", "dataset.columns="),
    ),
}


@pytest.mark.parametrize(("text", "settings", "wanted"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_table_is_told_with_its_place(
    text: str, settings: dict[str, Any], wanted: tuple[str, ...], tmp_path: Path
) -> None:
    """One message opens with the file, names row and column, and says what was expected and found."""
    path = tmp_path / "sales.csv"
    path.write_text(text, encoding="utf-8")
    found = said(path, **settings)

    assert found.startswith(("sales.csv", "dataset"))
    assert [part for part in wanted if part not in found] == []
    assert "\n" not in found


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (table().encode("utf-16"), "expected text in UTF-8, got UTF-16. Try `iconv -f UTF-16"),
        (
            changed(5, "1,é").encode("latin-1"),
            "row 5: expected text in UTF-8, got the byte 0xE9 at offset",
        ),
        (pickle.dumps([1]), "got a pickle. It was not opened"),
        (gzip.compress(table().encode()), "got what gzip compressed"),
        (b"\x93NUMPY\x01\x00 and more", "got an array of NumPy"),
        (b"PK\x03\x04 and more", "got a zip archive or an Excel workbook"),
        (b"PAR1", "expected a parquet file"),
    ],
)
def test_bytes_that_are_no_table_are_told_apart(body: bytes, wanted: str, tmp_path: Path) -> None:
    """The first bytes, or the first that is no UTF-8, say what it is, and nothing of it is run."""
    path = tmp_path / "sales.csv"
    path.write_bytes(body)

    assert wanted in said(path)


def test_a_pickle_is_not_opened_whatever_its_name(tmp_path: Path) -> None:
    """One that would leave a file behind leaves none."""

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    for name, protocol in (("a.csv", 4), ("a.pkl", 0), ("a.joblib", 2)):
        path = tmp_path / name
        path.write_bytes(pickle.dumps(Trap(), protocol))

        assert "It was not opened" in said(path)
    assert not (tmp_path / "sprung").exists()


def test_a_path_that_is_no_file_is_told(tmp_path: Path) -> None:
    """A folder, a device, a pipe and a name that is nearly right."""
    (tmp_path / "sales.csv").write_text(table())
    os.mkfifo(tmp_path / "pipe")

    assert "expected a file, got a folder" in said(tmp_path)
    assert "expected a regular file, got a pipe" in said(tmp_path / "pipe")
    assert "no such file" in said(tmp_path / "slaes.csv")
    assert "Did you mean 'sales.csv'?" in said(tmp_path / "slaes.csv")
    assert "there is no folder" in said(tmp_path / "there" / "sales.csv")
    with pytest.raises(ParameterError, match="regular file, got a device"):
        datasets.CATALOGUE.make("csv", {"path": "/dev/zero", "target": "y"}).refuse_unusable()


def test_the_command_line_says_it_before_anything_starts(tmp_path: Path) -> None:
    """What is wrong with the file is one line, with the place where it was asked for."""
    path = tmp_path / "sales.csv"
    path.write_text(changed(7, "1,"))
    settings = ["dataset.name=csv", f"dataset.path={path}", "dataset.target=y"]
    with pytest.raises(ParameterError) as caught:
        from_command_line("tabular", None, settings, [], None)

    assert str(caught.value).startswith(f"the command line: {path}, row 7, column 'y': ")
    assert "\n" not in str(caught.value)

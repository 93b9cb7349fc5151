"""Columns of a table by their role: numbers, texts, levels and times, each told where it is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from studylib.datasets._loading import loading
from studylib.datasets._tables import read
from studylib.errors import ParameterError

if TYPE_CHECKING:
    from pathlib import Path

TIMES = {
    "2024-02-29": "2024-02-29T00:00",
    "2024-02-29 13:45": "2024-02-29T13:45",
    "2024-02-29T13:45:06.5": "2024-02-29T13:45:06.500",
    "2024-02-29T13:45:06Z": "2024-02-29T13:45:06",
    "2024-02-29T13:45:06+02:00": "2024-02-29T11:45:06",
    "2024-02": "2024-02-01T00:00",
    "1709214306": "2024-02-29T13:45:06",
}


def column(folder: Path, *cells: str) -> str:
    """Return the path of a CSV with the column ``c`` of such cells."""
    path = folder / "c.csv"
    path.write_text("c,d\n" + "".join(f"{cell},1\n" for cell in cells))
    return str(path)


@pytest.mark.parametrize(("cell", "time"), TIMES.items())
def test_times_are_those_of_iso_8601_or_seconds(tmp_path: Path, cell: str, time: str) -> None:
    """With a date alone, a zone, fractions of seconds, or as seconds since 1970."""
    found = read(column(tmp_path, cell, "1999-12-31"), {"time": "c"}).times("time")

    assert found[0] == np.datetime64(time)
    assert found.dtype == "datetime64[us]"


@pytest.mark.parametrize("cell", ["2024-13-01", "2024-02-30", "yesterday", "12:30", "31.12.2024", ""])
def test_what_is_no_time_is_told_with_its_row(tmp_path: Path, cell: str) -> None:
    """A month or a day that there is not, another order, a word, and nothing."""
    table = read(column(tmp_path, "2024-01-01", cell), {"time": "c"})
    with pytest.raises(ParameterError, match=r"c\.csv, row 3, column 'c': expected a time such as"):
        table.times("time")


def test_numbers_may_have_space_around_them_and_signs(tmp_path: Path) -> None:
    """As Python reads them, in every spelling that is one number in all countries."""
    cells = (" 1", "+2", "-.5", "3.", "4e3", "5E-2 ")
    found = read(column(tmp_path, *cells), {"x": "c"}).numbers("x")

    assert found.tolist() == [float(cell) for cell in cells]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("many", "expected a number, got 'many'"),
        ("0x10", "expected a number, got '0x10'"),
        ("NA", "expected a finite number, got a missing cell"),
        ("inf", "expected a finite number, got 'inf'"),
        ('"1,5"', "Write numbers with a decimal point"),
        ("1 000", "Write numbers without separators between thousands"),
    ],
)
def test_what_is_no_number_is_told_with_its_row(tmp_path: Path, cell: str, said: str) -> None:
    """Row, column, what was found, and how it should be written."""
    table = read(column(tmp_path, "1", "2", cell), {"x": "c"})
    with pytest.raises(ParameterError) as caught:
        table.numbers("x")

    assert "row 4, column 'c': " in str(caught.value)
    assert said in str(caught.value)


def test_levels_are_in_a_stable_order(tmp_path: Path) -> None:
    """Numbers by their size, then texts by the alphabet; codes point at them."""
    cells = ("b", "10", "9", "a", "b", " 9 ")
    names, codes = read(column(tmp_path, *cells), {"who": "c"}).levels("who")

    assert names == ("9", "10", "a", "b")
    assert [names[code] for code in codes] == [cell.strip() for cell in cells]


def test_a_text_may_hold_everything_that_quotes_can(tmp_path: Path) -> None:
    """Separators, quotes and line ends; a missing one is told."""
    path = tmp_path / "t.csv"
    path.write_text('text,x\n"a, b",1\n"say ""hi""",2\n"two\nlines",3\n')
    table = read(str(path), {"text": "text"})

    assert table.texts("text") == ["a, b", 'say "hi"', "two\nlines"]
    with pytest.raises(ParameterError, match=r"row 3, column 'c': expected a value, got a missing cell"):
        read(column(tmp_path, "a", ""), {"text": "c"}).texts("text")


def test_a_large_file_is_read_with_a_display(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a log a line for each tenth, and nothing for a file that is read at once."""
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    for size in (100_000_000, 1_000):
        with loading("sales.csv", size) as tell:
            for done in range(0, size + 1, size // 100):
                tell(done)
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 10
    assert lines[4].startswith("reading sales.csv: 50 % of 100 MB, ")

"""``studylib data check``: what is likely to mislead is found, and nothing is where there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from command_line import studylib
from readable import READABLE

from studylib import datasets
from studylib.inspection import Inspection, inspected
from studylib.inspection.leakage import suspicion

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 300
GENERATOR = np.random.default_rng(4)
X = GENERATOR.normal(size=ROWS)
Y = X + GENERATOR.normal(size=ROWS)
LABELS = (Y > 0).astype(int)


def looked_at(path: Path, table: dict[str, Any], **settings: Any) -> Inspection:
    """Return what is found in a table."""
    pd.DataFrame(table).to_csv(path, index=False)
    return inspected(datasets.CATALOGUE.make("csv", {"path": str(path), "target": "y"} | settings))


def found(inspection: Inspection) -> list[str]:
    """Return the findings in short, with their advice."""
    return [f"{one.what} {one.text} {one.advice}" for one in inspection.findings]


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (Y, "equals the target"),
        (3 - 1.19 * Y, "the target on another scale (correlation 1.0000)"),
        (np.exp(3 * Y), "orders the rows as the target does"),
        (X, ""),
        (np.zeros(ROWS), ""),
        (np.where(X > 1, np.nan, 2 * Y), "the target on another scale"),
    ],
)
def test_a_column_that_holds_a_number_is_suspicious(column: np.ndarray, reason: str) -> None:
    """The target itself, another scale, another order-preserving one; gaps hide nothing."""
    suspect = suspicion("c", column, Y, classified=False)

    assert (suspect is None) == (not reason)
    assert reason in (suspect.text if suspect else "")


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (1 - LABELS, "the target under other names"),
        (
            LABELS * 10 + GENERATOR.integers(0, 5, ROWS),
            "determines the target: each of its 10 values has one",
        ),
        (Y, "separates the classes without a mistake"),
        (X, ""),
        (GENERATOR.integers(0, 5, ROWS), ""),
    ],
)
def test_a_column_that_holds_a_class_is_suspicious(column: np.ndarray, reason: str) -> None:
    """Renamed, made finer, or thresholded."""
    suspect = suspicion("c", column.astype(float), LABELS, classified=True)

    assert (suspect is None) == (not reason)
    assert reason in (suspect.text if suspect else "")


def test_values_that_explain_a_number_are_suspicious() -> None:
    """A code for each price, in no order, is not correlated with it and yet determines it."""
    prices = GENERATOR.normal(size=20)
    codes = GENERATOR.permutation(20)[np.arange(ROWS) % 20]
    suspect = suspicion("c", codes.astype(float), prices[codes], classified=False)

    assert suspect
    assert "its values explain 100.00% of it" in suspect.text


def test_a_table_shows_what_is_odd_about_it(tmp_path: Path) -> None:
    """Constant, copied and nearly empty columns, duplicates across parts, with the setting to type."""
    mostly = np.where(np.arange(ROWS) % 5 == 0, X, np.nan)
    table = {"x": X, "again": X, "same": np.full(ROWS, "a"), "mostly": mostly, "y": Y}
    twice = {name: np.concatenate([own, own]) for name, own in table.items()}
    shown = looked_at(tmp_path / "odd.csv", twice)
    said = "\n".join(found(shown))

    assert "copy 'again' is a copy of 'x'. --set 'dataset.leave_out=[again]'" in said
    assert "constant 'same' is the same in every row" in said
    assert "missing 'mostly' is missing in 80% of the rows" in said
    assert "duplicates 300 rows with the inputs of an earlier one, 300 with its target too;" in said
    assert [row[:4] for row in shown.columns][1:3] == [
        ("x", "number", "", "300"),
        ("again", "number", "", "300"),
    ]


def test_a_balanced_table_shows_nothing(tmp_path: Path) -> None:
    """No finding is made up, and the classes are counted."""
    shown = looked_at(tmp_path / "fine.csv", {"x": X, "y": np.where(LABELS, "yes", "no")})

    assert found(shown) == []
    assert any(line.startswith("classes: ") for line in shown.facts)
    assert list(shown.lines())[-1] == "Nothing suspicious was found."


def test_a_rare_class_is_named(tmp_path: Path) -> None:
    """With the accuracy of who always says the commonest."""
    labels = np.where(np.arange(ROWS) % 30 == 0, "rare", "usual")
    [balance] = looked_at(tmp_path / "rare.csv", {"x": X, "y": labels}).findings

    assert balance.text == "rare is rare; who always says 'usual' is right in 96.7% of the rows."


def test_what_cannot_be_used_is_shown_all_the_same(tmp_path: Path) -> None:
    """Columns and findings first, and why it cannot be used; the exit status is 1."""
    shown = looked_at(tmp_path / "ids.csv", {"id": [f"p{n}" for n in range(ROWS)], "x": X, "y": Y})
    place = {"cwd": tmp_path, "store": tmp_path / "store"}
    own = ("--set", "dataset.path=ids.csv", "--set", "dataset.target=y")
    done = studylib("data", "check", "tabular", "--set", "dataset.name=csv", *own, **place)
    absent = studylib("data", "check", "csv", "--set", "path=no.csv", "--set", "target=y", **place)

    assert "column 'id': 300 different texts" in shown.unusable
    assert "id? 'id' has 300 different texts in 300 rows. --set 'dataset.leave_out=[id]'" in found(shown)
    assert (done.returncode, absent.returncode) == (1, 2)
    assert "cannot be used yet: ids.csv, column 'id'" in done.stdout


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "digits", "docstrings", "imports", "co2"])
def test_every_kind_of_data_can_be_looked_at(name: str) -> None:
    """Rows of each part and the shape, whatever the inputs are."""
    shown = inspected(READABLE[name])

    assert shown.facts[0] == name
    assert any("rows of seed 0: " in line for line in shown.facts)
    assert not shown.unusable

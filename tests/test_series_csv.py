"""A series of one's own: what is read, and the one message that each hostile file ends in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from studylib import datasets
from studylib.datasets._series import Cuts, together
from studylib.errors import ParameterError
from studylib.inspection import inspected
from studylib.runs import from_command_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from studylib.datasets.series_csv import SeriesCsv

ROWS = 300


def frame() -> pd.DataFrame:
    """Return hours with a load, a temperature and a name."""
    g = np.random.default_rng(2)
    hours = pd.date_range("2020-02-27", periods=ROWS, freq="h").astype(str)
    load = (50 + 10 * np.sin(np.arange(ROWS) * np.pi / 12) + g.normal(0, 1, ROWS)).round(2)
    return pd.DataFrame({"date": hours, "MW": load, "temp": g.normal(0, 1, ROWS).round(2), "site": "a"})


def made(folder: Path, table: pd.DataFrame, **settings: Any) -> SeriesCsv:
    """Return the dataset of a table that is written to ``load.csv``."""
    path = folder / "load.csv"
    table.to_csv(path, index=False)
    asked = {"path": str(path), "time": "date", "target": "MW"} | settings
    return datasets.CATALOGUE.make("series_csv", asked)  # type: ignore[return-value]  # of this name


def refused(folder: Path, table: pd.DataFrame, **settings: Any) -> str:
    """Return what is said of the table, without the folder."""
    with pytest.raises(ParameterError) as told:
        made(folder, table, **settings).refuse_unusable()
    return str(told.value).replace(f"{folder}/", "")


def changed(column: str, row: int, value: Any) -> pd.DataFrame:
    """Return the table with another cell in a row, counted from 0 below the names."""
    table = frame().astype({column: object})
    table.loc[row, column] = value
    return table


def test_a_series_is_its_columns_in_the_order_of_time(tmp_path: Path) -> None:
    """The split is that of the same values cut by hand; the target comes first, then the named columns."""
    table = frame()
    dataset = made(tmp_path, table, columns=["temp"], horizon=6, look_back=12, cut="fixed")
    values = table[["MW", "temp"]].to_numpy()
    ours, by_hand = dataset.split(3), together(values, Cuts(60, 210, 255, 300), 12, 6)

    assert dataset.columns() == ("MW", "temp")
    assert np.array_equal(dataset.arrays()["values"], values)
    for part in ("train", "validation", "test"):
        assert np.array_equal(getattr(ours, part).x, getattr(by_hand, part).x)
        assert np.array_equal(getattr(ours, part).y, getattr(by_hand, part).y)
    assert "300 steps from 2020-02-27 to 2020-03-10 11:00:00, 1 hour apart" in dataset.described()


def test_a_horizon_that_nobody_named_follows_from_the_length(tmp_path: Path) -> None:
    """A twelfth of the rows, at most 24, from three times as many before."""
    assert made(tmp_path, frame()).split(0).inputs == (72, 1)
    assert made(tmp_path, frame()[:144]).split(0).outputs == 12


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (pd.date_range("1990-01-31", periods=ROWS, freq="ME").strftime("%Y-%m-%d"), "1 month"),
        (pd.date_range("1990-01-01", periods=ROWS, freq="QS").strftime("%Y-%m"), "3 months"),
        (pd.date_range("2020-01-01", periods=ROWS, freq="D").strftime("%Y%m%d"), "1 day"),
        (
            pd.date_range("2020-01-01", periods=ROWS, freq="15min").strftime("%Y-%m-%dT%H:%M:%SZ"),
            "15 minutes",
        ),
        (np.arange(1709, 1709 + ROWS), "1"),
        (np.arange(ROWS) / 4, "0.25"),
    ],
)
def test_times_are_dates_months_years_or_numbers(tmp_path: Path, times: Any, step: str) -> None:
    """Months are a step of their own, although they are not equally long."""
    assert f", {step} apart;" in made(tmp_path, frame().assign(date=times)).described()


def test_parquet_is_read_as_a_csv_is(tmp_path: Path) -> None:
    """The same values, whether times are texts or timestamps."""
    table = frame()
    expected = made(tmp_path, table).arrays()["values"]
    path = tmp_path / "load.parquet"
    for date in (table["date"], pd.to_datetime(table["date"])):
        table.assign(date=date).to_parquet(path)
        asked = {"path": str(path), "time": "date", "target": "MW"}

        assert np.array_equal(datasets.CATALOGUE.make("series_csv", asked).arrays()["values"], expected)


def swapped(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with two rows in the wrong order."""
    return table.iloc[[*range(100), 101, 100, *range(102, ROWS)]]


APART = "expected a time 1 hour after {} of the row before, as in most rows, got {}"
AFTER = "expected a time after 2020-03-02 05:00:00 of the row before, got 2020-03-02 04:00:00. Sort the file"
ZONED = (
    "expected a time without one as in the rows before, got '2020-02-27 20:00:00+01:00', with its time zone."
)
HOSTILE: list[tuple[Callable[[], pd.DataFrame], int, str, str]] = [
    (lambda: swapped(frame()), 103, "date", AFTER),
    (lambda: pd.concat([frame()[:50], frame()[49:]]), 52, "date", "2020-02-29 01:00:00 again, as in the row"),
    (
        lambda: frame().drop(index=[70, 71, 200]),
        72,
        "date",
        APART.format("2020-02-29 21:00:00", "2020-03-01: 2 rows missing; another follows."),
    ),
    (
        lambda: changed("date", 20, "2020-02-27 20:30:00"),
        22,
        "date",
        APART.format("2020-02-27 19:00:00", "2020-02-27 20:30:00; another follows."),
    ),
    (lambda: changed("date", 20, "2020-02-27 20:00:00+01:00"), 22, "date", ZONED),
    (lambda: changed("date", 9, "yesterday"), 11, "date", "expected a time such as 2024-01-31"),
    (lambda: changed("date", 9, None), 11, "date", ""),
    (lambda: changed("MW", 9, None), 11, "MW", "expected a number, got a missing cell. A series has a value"),
    (lambda: changed("MW", 9, "n/k"), 11, "MW", "expected a number, got 'n/k'."),
    (lambda: changed("MW", 9, "inf"), 11, "MW", "expected a finite number, got 'inf'."),
    (
        lambda: changed("MW", 9, "50,5"),
        11,
        "MW",
        "expected a number, got '50,5'. Write numbers with a decimal",
    ),
]


@pytest.mark.parametrize(("table", "row", "column", "said"), HOSTILE, ids=[said for *_, said in HOSTILE])
def test_a_hostile_row_ends_in_one_message(
    tmp_path: Path, table: Callable[[], pd.DataFrame], row: int, column: str, said: str
) -> None:
    """With file, row as a spreadsheet counts it, and column, what was expected, and what was found."""
    told = refused(tmp_path, table())

    assert told.startswith(f"load.csv, row {row}, column {column!r}: {said}")
    assert "\n" not in told


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            lambda: frame().assign(MW=5),
            "load.csv, column 'MW': expected values that change, got 5 in all rows.",
        ),
        (lambda: frame()[:10], "load.csv: expected at least 20 rows, got 10."),
        (
            lambda: frame()[:40],
            "load.csv: expected train to have at least 31 steps, which make 20 windows of",
        ),
        (lambda: frame().rename(columns={"MW": "mw"}), "there is no column 'MW'. Did you mean 'mw'?"),
    ],
    ids=["constant", "tiny", "short", "misspelt"],
)
def test_a_hostile_series_ends_in_one_message(
    tmp_path: Path, table: Callable[[], pd.DataFrame], said: str
) -> None:
    """About the column, or about the file, if no row is to blame."""
    assert said in refused(tmp_path, table())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"columns": ["MW"]}, "expected a column of its own as columns.0, got 'MW', which is the target."),
        ({"columns": ["site"]}, "row 2, column 'site': expected a number, got 'a'."),
        (
            {"look_back": 200},
            "look_back 200 + horizon 24 (here 150), of 300 steps in all. Lower dataset.look_back",
        ),
        (
            {"train": 200, "validation": 90, "test": 90},
            "at most the 300 steps that there are, got 200 + 90 + 90",
        ),
    ],
)
def test_settings_that_the_series_does_not_take_are_refused(
    tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    """With the numbers that do not fit together."""
    assert said in refused(tmp_path, frame(), **settings)


def test_gaps_may_be_filled_from_the_past(tmp_path: Path) -> None:
    """A missing row is the one before, a missing cell the last that is known, and the page counts both."""
    table = frame().drop(index=[70, 71])
    table.loc[[9, 10], "MW"] = np.nan
    filled = made(tmp_path, table, gaps="last")
    expected = frame()["MW"].to_numpy().copy()
    expected[[9, 10]], expected[[70, 71]] = expected[8], expected[69]

    assert np.array_equal(filled.arrays()["values"][:, 0], expected)
    assert "The last known value stands in for 4 missing ones." in filled.described()
    assert "none is known before it" in refused(tmp_path, changed("MW", 0, None), gaps="last")


def test_rows_may_be_taken_as_steps(tmp_path: Path) -> None:
    """Days of trade are no whole weeks."""
    days = pd.bdate_range("2020-01-01", periods=ROWS).strftime("%Y-%m-%d")
    table = frame().assign(date=days)

    assert len(made(tmp_path, table, gaps="ignore").arrays()["values"]) == ROWS
    assert "59 gaps more follow" in refused(tmp_path, table)


def test_a_pickle_is_not_opened_and_a_folder_is_no_file(tmp_path: Path) -> None:
    """As of every table of one's own."""
    pickled = tmp_path / "load.csv"
    frame().to_pickle(pickled)
    for path, said in ((pickled, "got a pickle"), (tmp_path, "expected a file, got a folder")):
        with pytest.raises(ParameterError, match=said):
            datasets.CATALOGUE.make(
                "series_csv", {"path": str(path), "time": "date", "target": "MW"}
            ).refuse_unusable()


def test_the_study_takes_it_by_three_settings(tmp_path: Path) -> None:
    """Name, path, time and target are all that it takes; what decides is the metric of forecasts."""
    made(tmp_path, frame())
    asked = {"name": "series_csv", "path": str(tmp_path / "load.csv"), "time": "date", "target": "MW"}
    edits = [f"dataset.{key}={value}" for key, value in asked.items()]
    params = from_command_line("forecasting", None, edits, [], None).params

    assert params.dataset.name == "series_csv"
    assert (params.metric, params.smallest_effect) == ("test_mse", 0.01)


def found(folder: Path, table: pd.DataFrame, **settings: Any) -> dict[str, str]:
    """Return what a look at the table finds, by its kind."""
    return {
        one.what: f"{one.text} {one.advice}" for one in inspected(made(folder, table, **settings)).findings
    }


def test_a_look_finds_what_misleads_in_a_series(tmp_path: Path) -> None:
    """A shift, a standstill, a rhythm that is not seen, and columns that are the target, now or later."""
    table = frame()
    others = table.assign(kW=table["MW"] * 1000, next=table["MW"].shift(-3).ffill())
    shifted = table.assign(MW=table["MW"] + np.where(np.arange(ROWS) > 250, 40, 0))

    assert found(tmp_path, table) == {}
    assert "standard deviations above what is learnt from" in found(tmp_path, shifted)["shift"]
    assert "in 40 steps on end, from step 101" in found(tmp_path, standing(table))["standstill"]
    assert "after 24 steps" in found(tmp_path, table, look_back=12)["rhythm"]
    assert "--set dataset.look_back=25" in found(tmp_path, table, look_back=12)["rhythm"]
    assert "'next' is the target 3 steps later" in found(tmp_path, others, columns=["next"])["leakage?"]
    assert "'kW' is the target on" in found(tmp_path, others, columns=["kW"])["copy"]


def standing(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with 40 equal loads from the hundredth on."""
    copy = table.copy()
    copy.loc[100:139, "MW"] = 50.0
    return copy

"""Tables of one's own: what becomes of their columns, and which rows go where."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from studylib import datasets, housekeeping, plan
from studylib.datasets._columns import columns_of
from studylib.datasets._design import Design, features
from studylib.datasets.base import content_hash
from studylib.executors import compute_one
from studylib.places import store_folder
from studylib.runs import from_command_line

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.datasets._own_table import OwnTable

ROWS = 400


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a CSV with columns of every kind, with gaps, a rare level, groups and times."""
    return written(tmp_path_factory.mktemp("sales") / "sales.csv", frame())


def frame() -> pd.DataFrame:
    """Return what is in it."""
    g = np.random.default_rng(3)
    region = g.choice(["north", "south", "east"], ROWS)
    region[:4] = "off"
    hours = pd.date_range("2020-01-01", periods=ROWS, freq="h").astype(str).to_numpy()
    table = pd.DataFrame(
        {
            "region": region,
            "area": g.normal(1e6, 30, ROWS).round(3),
            "rooms": g.integers(1, 7, ROWS),
            "garden": g.choice([True, False], ROWS),
            "agent": g.choice([f"a{n}" for n in range(25)], ROWS),
            "sold": hours[g.permutation(ROWS)],
        }
    )
    table["price"] = (table["rooms"] * 20 + g.normal(0, 5, ROWS)).round(2)
    table["good"] = np.where(g.random(ROWS) < 0.3, "yes", "no")
    table.loc[g.random(ROWS) < 0.1, "area"] = np.nan
    table.loc[g.random(ROWS) < 0.05, "region"] = None
    return table


def written(path: Path, table: pd.DataFrame, **how: Any) -> Path:
    """Return the path of the CSV that ``table`` is written to."""
    table.to_csv(path, index=False, **how)
    return path


def made(path: Path, target: str = "price", **settings: Any) -> OwnTable:
    """Return the dataset of a table."""
    name = path.suffix.removeprefix(".")
    settings = {"path": str(path), "target": target} | settings
    return datasets.CATALOGUE.make(name, settings)  # type: ignore[return-value]  # of these two


def rows_of(dataset: OwnTable, seed: int = 0) -> list[np.ndarray]:
    """Return the row numbers of train, validation and test."""
    return list(dataset._parts(seed))  # noqa: SLF001  # the split does not say which rows it took


@pytest.mark.parametrize("seed", [0, 1])
def test_inputs_are_filled_in_and_scaled_by_the_train_rows_alone(sales: Path, seed: int) -> None:
    """By brute force: median of train, indicators, pandas.get_dummies, mean and deviation of train."""
    dataset, table = made(sales, leave_out=("agent", "sold", "good")), frame()
    train = rows_of(dataset, seed)[0]
    by_hand = pd.get_dummies(table["region"]).astype(float)[["east", "north", "south"]]
    by_hand.columns = [f"region={name}" for name in by_hand]
    by_hand["region=another"] = (table["region"] == "off").astype(float)
    by_hand["region is missing"] = table["region"].isna().astype(float)
    by_hand["area"] = table["area"].fillna(table["area"].iloc[train].median())
    by_hand["area is missing"] = table["area"].isna().astype(float)
    by_hand["rooms"], by_hand["garden"] = table["rooms"], table["garden"].astype(float)
    own = by_hand.iloc[train]
    varies = own.max() > own.min()
    scaled = ((by_hand - own.mean()) / own.std(ddof=0).where(varies, 1.0)).to_numpy()
    target = (table["price"] - table["price"].iloc[train].mean()) / table["price"].iloc[train].std(ddof=0)
    split = dataset.split(seed)

    assert dataset.columns() == tuple(by_hand)
    assert split.inputs == (len(by_hand.columns),)
    for part, rows in zip((split.train, split.validation, split.test), rows_of(dataset, seed), strict=True):
        assert part.x == pytest.approx(scaled[rows], abs=1e-5)
        assert part.y == pytest.approx(target.iloc[rows].to_numpy())
        assert (part.x.dtype.name, part.y.dtype.name) == ("float32", "float64")
    assert split.target_scale == pytest.approx(table["price"].iloc[train].std(ddof=0))


def test_a_level_that_train_does_not_have_is_none(sales: Path) -> None:
    """Whether alone or pooled, its column is the same in all rows, and so 0 once it is standardised."""
    columns = columns_of(str(sales), ("region",))
    plan = features(columns, ("region",), frozenset({"region"}))
    east = columns.levels[0].index("east")
    train = np.flatnonzero(columns.of("region") != east)[:100]
    inputs = Design.of(columns.cells, plan, train)(np.arange(ROWS))

    assert (inputs[:, [one.name for one in plan].index("region=east")] == 0).all()
    assert (columns.of("region") == east).sum() > 50


@pytest.mark.parametrize("seed", range(3))
def test_groups_are_never_divided(sales: Path, seed: int) -> None:
    """No agent is in two parts, no row is left out, and the sizes are near those asked for."""
    dataset = made(sales, group="agent")
    parts = rows_of(dataset, seed)
    agents = [set(frame()["agent"].iloc[rows]) for rows in parts]

    assert len(set.union(*agents)) == sum(map(len, agents))
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(ROWS))
    assert np.abs(np.array([len(rows) for rows in parts]) - [240, 80, 80]).max() < 30
    assert not any("agent" in name for name in dataset.columns())


def test_time_runs_from_train_to_test(sales: Path) -> None:
    """The latest train row is before the earliest validation row, in every seed, and seeds draw others."""
    dataset, times = made(sales, time="sold"), pd.to_datetime(frame()["sold"])
    drawn = [rows_of(dataset, seed) for seed in range(3)]

    for train, validation, test in drawn:
        assert times[train].max() < times[validation].min()
        assert times[validation].max() < times[test].min()
        assert [len(train), len(validation), len(test)] == [192, 64, 64]
    assert set(drawn[0][0]) != set(drawn[1][0])


def test_rows_of_one_time_stay_together(tmp_path: Path) -> None:
    """A border moves to where the time changes."""
    table = frame().assign(day=np.repeat(np.arange(8), 50))
    dataset = made(written(tmp_path / "days.csv", table), time="day", leave_out=("sold",))
    days = [set(table["day"].iloc[rows]) for rows in rows_of(dataset)]

    assert days in ([{0, 1, 2, 3, 4}, {5}, {6, 7}], [{0, 1, 2, 3, 4}, {5, 6}, {7}])


def test_classes_are_drawn_in_proportion_and_named_in_a_stable_order(sales: Path) -> None:
    """Texts by the alphabet, whole numbers by their size, whatever the first row holds."""
    dataset = made(sales, "good")
    split = dataset.split(0)
    share = (frame()["good"] == "yes").mean()

    assert dataset.classes() == ("no", "yes")
    assert made(sales, "rooms").classes() == ("1", "2", "3", "4", "5", "6")
    assert made(sales, "garden").classes() == ("False", "True")
    assert [abs(part.y.mean() - share) < 0.01 for part in (split.train, split.validation)] == [True, True]
    assert (split.outputs, split.target_scale, split.classified) == (2, 1.0, True)


def test_the_target_says_what_is_asked_unless_somebody_does(sales: Path) -> None:
    """Texts, booleans and few whole numbers are classes; the reason is said."""
    numbers = made(sales, "rooms", task="regression", target_unit="rooms")

    assert made(sales, "rooms").task == made(sales, "garden").task == "classification"
    assert "for it holds 6 different whole numbers" in made(sales, "rooms").words()["about"]
    assert (numbers.task, numbers.unit, numbers.classes()) == ("regression", "rooms", ())
    assert (made(sales).task, made(sales).unit) == ("regression", "units of price")
    assert made(sales).deciding() == ("test_rmse", float(f"{0.02 * frame()['price'].std(ddof=0):.0e}"))


def test_the_same_table_is_the_same_whatever_its_spelling(sales: Path, tmp_path: Path) -> None:
    """A byte-order mark, CRLF, quotes, semicolons, tabs and blank lines change no hash and no split."""
    table = frame()
    plain = made(sales)
    variants: dict[str, dict[str, Any]] = {
        "bom": {"encoding": "utf-8-sig"},
        "crlf": {"lineterminator": "\r\n"},
        "quoted": {"quoting": 1},
        "semicolon": {"sep": ";"},
        "tab": {"sep": "\t"},
        "na": {"na_rep": "NA"},
    }
    for name, how in variants.items():
        path = written(tmp_path / f"{name}.csv", table, **how)
        own = made(path)

        assert content_hash(own) == content_hash(plain), name
        assert own.origin() != plain.origin()
        assert np.array_equal(own.split(1).test.x, plain.split(1).test.x)
    (tmp_path / "blank.csv").write_bytes(sales.read_bytes().replace(b"\n", b"\n\n") + b"\n\n")
    assert content_hash(made(tmp_path / "blank.csv")) == content_hash(plain)


def test_parquet_is_read_as_csv_is(sales: Path, tmp_path: Path) -> None:
    """Types of the file instead of spelling, and the same inputs; each says where the other belongs."""
    table = frame()
    table["sold"] = pd.to_datetime(table["sold"])
    path = tmp_path / "sales.parquet"
    table.to_parquet(path)

    assert made(path).columns() == made(sales).columns()
    assert np.array_equal(made(path).split(0).train.x, made(sales).split(0).train.x)
    with pytest.raises(Exception, match=r"expected csv, got parquet: --set dataset\.name=parquet reads it"):
        datasets.CATALOGUE.make("csv", {"path": str(path), "target": "price"}).refuse_unusable()
    with pytest.raises(Exception, match=r"expected parquet, got csv: --set dataset\.name=csv reads it"):
        datasets.CATALOGUE.make("parquet", {"path": str(sales), "target": "price"}).refuse_unusable()


def test_numbers_come_back_as_they_were_written(tmp_path: Path) -> None:
    """Every float64 survives the way through a CSV, subnormal and huge ones too."""
    bits = np.random.default_rng(1).integers(0, 2**63, 5000, dtype=np.uint64).view(np.float64)
    numbers = bits[np.isfinite(bits)]
    path = written(tmp_path / "n.csv", pd.DataFrame({"x": numbers}))

    assert np.array_equal(columns_of(str(path), ("x",)).of("x"), numbers)


def test_a_column_may_turn_out_to_be_of_another_kind_late(tmp_path: Path) -> None:
    """Megabytes of numbers and then texts are texts, in rows that were read before as well."""
    many = 12_000
    table = pd.DataFrame({"code": np.arange(many) % 7, "y": np.arange(many) % 11 / 7, "text": "long " * 100})
    table["code"] = table["code"].astype(object)
    table.loc[many - 5 :, "code"] = "7+"
    found = columns_of(str(written(tmp_path / "late.csv", table)), ("code", "y"))

    assert found.kinds == ("text", "number")
    assert found.levels[0] == ("0", "1", "2", "3", "4", "5", "6", "7+")
    assert found.counts[0][-1] == 5
    assert np.array_equal(found.of("code")[:100], np.arange(100) % 7)


def test_columns_are_read_once_and_kept(sales: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept by the content is found again from another folder, and read again if it is damaged."""
    monkeypatch.chdir(sales.parent)
    first = columns_of("sales.csv", ("area", "rooms"))
    folders = set((store_folder() / "datasets").glob("table-*.json"))
    again = columns_of(str(sales), ("area", "rooms"))

    assert set((store_folder() / "datasets").glob("table-*.json")) == folders
    assert np.array_equal(again.of("area"), first.of("area"), equal_nan=True)
    assert content_hash(made(sales)) == content_hash(made(sales.relative_to(sales.parent)))
    with pytest.raises(ValueError, match="read-only"):
        first.cells[0] = 0


def test_what_pandas_writes_before_the_first_column_is_left_out(sales: Path, tmp_path: Path) -> None:
    """An index without a name, and a column with nothing in it, are said and not used."""
    table = frame().assign(nothing=np.nan)
    table.to_csv(tmp_path / "indexed.csv")
    dataset = made(tmp_path / "indexed.csv")

    assert dataset.columns() == made(sales).columns()
    assert "Left out, for they say nothing: column 1, nothing." in dataset.words()["about"]


def test_iris_runs_with_three_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of 150 rows, named as it is typed, is all that the study of tables needs."""
    monkeypatch.chdir(tmp_path)
    iris = load_iris(as_frame=True)
    table = iris.frame.assign(target=[iris.target_names[n] for n in iris.target])
    written(tmp_path / "iris.csv", table)
    settings = ["dataset.name=csv", "dataset.path=iris.csv", "dataset.target=target", "seeds=2"]
    settings += ["training.optimizer=adamw"]
    arms = tmp_path / "arms.yaml"
    arms.write_text("arms: {none: {}, ridge: {weight_decay: {strength: 0.01}}}")
    request = from_command_line("tabular", arms.relative_to(tmp_path), settings, [], None)
    params = request.params

    assert (params.metric, params.smallest_effect) == ("test_accuracy", 0.01)
    assert [len(part) for part in (params.dataset.split(0).train, params.dataset.split(0).test)] == [90, 30]
    assert params.dataset.words()["source"] == "iris.csv, brought by whoever ran this"
    assert str(tmp_path) not in request.command + params.about_data()


def test_a_file_that_is_changed_during_a_run_fails_its_fits(sales: Path, tmp_path: Path) -> None:
    """What is computed from other rows is not kept under the name of those that were planned."""
    path = tmp_path / "changing.csv"
    path.write_bytes(sales.read_bytes())
    settings = ["dataset.name=csv", f"dataset.path={path}", "dataset.target=price", "seeds=2"]
    params = from_command_line("tabular", None, settings, [], None).params
    content = content_hash(params.dataset)
    spec = plan.plan(params, content, "cpu")[params.arms[0].name, 0]
    before = compute_one(spec)
    path.write_bytes(path.read_bytes().replace(b"True", b"False"))
    after = compute_one(spec)

    assert (before.status, after.status) == ("ok", "failed")
    assert "changing.csv: the file was changed since this run began" in after.reason


def test_a_table_that_nobody_uses_may_go(
    sales: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a week, with its numbers; the latest stays, and a damaged one is read again."""
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path))
    found = {columns_of(str(sales), ("sold", name)).names[1] for name in ("rooms", "price")}
    old, new = sorted((tmp_path / "datasets").glob("table-*.json"))
    os.utime(old, (0, 0))
    [waste] = housekeeping.survey().waste

    assert found == {"rooms", "price"}
    assert set(waste.files) == {old, old.with_suffix(".f64")}
    assert new.is_file()

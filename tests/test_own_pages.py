"""A study of somebody's own data has a whole page, and says nothing that is true of other data alone."""

from __future__ import annotations

import csv
import re
from functools import partial
from html import unescape
from typing import TYPE_CHECKING

import numpy as np
import pytest
from command_line import ROOT, made_once
from PIL import Image

from studylib import pool, reports, runs
from studylib.records import Record

if TYPE_CHECKING:
    from pathlib import Path

# what is true of the data that the notebooks themselves are about
STRANGERS = re.compile(r"\b(diabet\w*|docstring\w*|digits?|handwrit\w*|librar(?:y|ies)|modules?|patients?)\b")
ROWS = 90


def tables(folder: Path) -> None:
    """Write a table with a number, one with two and one with three classes, and one of texts."""
    rng = np.random.default_rng(0)
    noise, kinds = rng.normal(0, 1, (ROWS, 3)), np.arange(ROWS)
    towns = np.array(["Ulm", "Bonn", "Kiel"])[kinds % 3]
    _write(folder / "sales.csv", "area,age,town,price", [
        (f"{80 + 9 * a:.1f}", f"{40 + 9 * b:.0f}", town, f"{250 + 30 * a - 10 * b + c:.1f}")
        for (a, b, c), town in zip(noise, towns, strict=True)
    ])  # fmt: skip
    for name, classes in (("two", ("no", "yes")), ("three", ("blue", "green", "red"))):
        own = kinds % len(classes)
        _write(folder / f"{name}.csv", "a,b,c,kind", [
            (f"{a + k:.3f}", f"{b - k:.3f}", f"{c:.3f}", classes[k])
            for (a, b, c), k in zip(noise, own, strict=True)
        ])  # fmt: skip
    words = (("good", "fine", "great"), ("bad", "poor", "awful"))
    _write(folder / "letters.csv", "letter,opinion", [
        (f"a {words[k % 2][k % 3]} day and {words[k % 2][k // 3 % 3]} days {k}", ("like", "dislike")[k % 2])
        for k in kinds
    ])  # fmt: skip


def pictures(folder: Path) -> None:
    """Write a folder of images for each of two classes."""
    rng = np.random.default_rng(1)
    for kind, bright in (("cats", 60), ("dogs", 160)):
        (folder / "pets" / kind).mkdir(parents=True)
        for k in range(40):
            grey = rng.normal(bright, 40, (12, 12)).clip(0, 255).astype(np.uint8)
            Image.fromarray(grey).save(folder / "pets" / kind / f"{k}.png")


def _write(path: Path, header: str, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])


def made(folder: Path) -> None:
    """Make the runs, as ``studylib run <study> --params … --set dataset.name=csv …`` does."""
    tables(folder)
    pictures(folder)
    asked = {
        "sales": ("tabular", {"name": "csv", "path": "sales.csv", "target": "price"}),
        "two": ("tabular", {"name": "csv", "path": "two.csv", "target": "kind"}),
        "three": ("tabular", {"name": "csv", "path": "three.csv", "target": "kind"}),
        "letters": (
            "text",
            {"name": "text_csv", "path": "letters.csv", "text": "letter", "label": "opinion"},
        ),
        "pets": ("vision", {"name": "image_folder", "path": "pets"}),
    }
    requests = []
    for name, (study, dataset) in asked.items():
        dataset["path"] = str(folder / dataset["path"])
        words = [f"dataset.{key}={value}" for key, value in dataset.items()]
        smoke = ROOT / "params" / study / "smoke.yaml"
        requests.append(runs.from_command_line(study, smoke, words, [], name))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STUDYLIB_STORE", str(folder / "store"))
        drawers = partial(pool.local, 2)
        done = reports.make(requests, folder / "reports", drawers, drawers, tell=lambda _: None)
    assert reports.failures(done) == []


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the reports."""
    return made_once(tmp_path_factory, "own-pages", made) / "reports"


def read(own: Path, study: str, name: str) -> str:
    """Return what a reader sees of a page, without the paths that it was made from."""
    html = (own / study / f"{name}.html").read_text(encoding="utf-8")
    bare = re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
    alts = " ".join(re.findall(r' alt="([^"]*)"', html))
    return re.sub(r"\s+", " ", unescape(f"{bare} {alts}").replace(str(own.parent), ""))


every = pytest.mark.parametrize(
    ("study", "name", "metric"),
    [
        ("tabular", "sales", "test RMSE"),
        ("tabular", "two", "test accuracy"),
        ("tabular", "three", "test accuracy"),
        ("text", "letters", "test accuracy"),
        ("vision", "pets", "test accuracy"),
    ],
)


@every
def test_a_page_of_ones_own_data_speaks_of_no_other(own: Path, study: str, name: str, metric: str) -> None:
    """No word of the notebook's own data; the metric is that of the task, and who chose it is said."""
    text = read(own, study, name)

    assert STRANGERS.findall(text.lower()) == []
    assert f"Decided by {metric}" in text
    assert "chosen by the dataset, as nobody said another" in text
    assert "Traceback" not in text


@every
def test_a_run_of_ones_own_data_is_whole(own: Path, study: str, name: str, metric: str) -> None:
    """Every fit ended well and was measured by what decides."""
    record = Record.load(own / study / f"{name}.json")

    assert record.unfinished() == ()
    assert record.params["metric"] == metric.lower().replace(" ", "_")
    assert all(record.params["metric"] in fit.metrics for fit in record.fits)


def test_numbers_of_classes_are_shown_as_such(own: Path) -> None:
    """Where the target is a class, no error of a number is spoken of, and the other way round."""
    assert "RMSE" not in read(own, "tabular", "three")
    assert "accuracy" not in read(own, "tabular", "sales")
    assert "units of price" in read(own, "tabular", "sales")

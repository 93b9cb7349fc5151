"""The dashboard and the page of two runs: their small drawings say what the records say."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from imaginary import classification, ranking, regression

from studylib import compare, dates, publishing
from studylib.editions import Editions
from studylib.errors import ParameterError
from studylib.pages import compare_page, index_page, strip
from studylib.pages.verdicts import deciding

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.records import Record

HOSTILE = (
    "<script>alert(1)</script>",
    '"/><script>alert(1)</script>',
    "</text></svg><img src=x onerror=alert(1)>",
    "]]><!-- &amp; &#0; %s {{ 7 * 7 }}",
    "\x00\x08\x1b[31m\u202egnal\u2066",
    "\ud800 alone",
    "a" * 100_000,
    "",
)
SVG = "{http://www.w3.org/2000/svg}"


def drawings(html: bytes) -> list[tuple[ET.Element, str]]:
    """Return each drawing of a page, parsed, with its words."""
    found = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)"[^>]* alt="([^"]*)"', html.decode())
    return [(ET.fromstring(b64decode(data)), unescape(alt)) for data, alt in found]  # noqa: S314  # our own


def places(svg: ET.Element) -> list[float]:
    """Return where the marks stand, from left to right of the drawing, in the order of the rows."""
    return [float(re.findall(r"[\d.]+", mark.attrib["transform"])[0]) for mark in svg.iter(f"{SVG}g")]


def bars(svg: ET.Element) -> list[tuple[float, float]]:
    """Return the ends of the intervals, in the order of the rows."""
    paths = [path for path in svg.iter(f"{SVG}path") if "bar" in path.attrib["class"]]
    ends = [re.findall(r"[\d.]+", path.attrib["d"]) for path in paths]
    return [(float(left), float(right)) for left, _, right in ends]


def misfit(drawn: list[float], numbers: list[float]) -> float:
    """Return how far, in units of the drawing, marks stand from where one scale for all puts the numbers."""
    slope, start = np.polyfit(numbers, drawn, 1)
    assert slope > 0
    return float(np.abs(slope * np.array(numbers) + start - np.array(drawn)).max())


@pytest.mark.parametrize("record", [classification(), ranking()], ids=lambda one: one.study)
def test_a_card_draws_the_differences_of_its_record(record: Record) -> None:
    """Marks and the ends of intervals lie on one scale, best arm first, each with the sign of its verdict."""
    [(svg, words)] = drawings(index_page([(record, "a/b.html")]))
    rows = deciding(record)
    numbers = [n for c in rows for n in (c.difference, c.low, c.high)]
    drawn = [n for at, ends in zip(places(svg), bars(svg), strict=True) for n in (at, *ends)]

    assert [text.text for text in svg.iter(f"{SVG}text")][: len(rows)] == [c.arm for c in rows]
    assert misfit(drawn, numbers) < 0.1
    for row in rows:
        assert re.search(rf"{row.arm} \S+ \(\S+ to \S+\), {row.verdict}", words)
    classes = [mark[0].attrib["class"] for mark in svg.iter(f"{SVG}g")]
    assert all(row.verdict in given for row, given in zip(rows, classes, strict=True))


def test_the_band_of_a_card_is_the_smallest_effect() -> None:
    """In the unit of the axis, around no difference, and told beside the drawing."""
    record = classification()
    html = index_page([(record, "a/b.html")])
    [(svg, _)] = drawings(html)
    [band] = [path.attrib["d"] for path in svg.iter(f"{SVG}path") if path.attrib["class"] == "band"]
    left, width = (float(n) for n in re.findall(r"M([\d.]+) 0h([\d.]+)", band)[0])
    found = deciding(record)
    marks = [left, left + width, *places(svg)]
    effect = float(record.params["smallest_effect"])

    assert misfit(marks, [-effect, effect, *(c.difference for c in found)]) < 0.1
    assert b"Band: up to 0.5 points either way" in html
    assert b"right is better" in html


def test_a_study_with_many_arms_says_which_are_left_out() -> None:
    """A card has room for twelve; the page has all."""
    record = classification()
    one = record.contrasts[0]
    many = tuple(replace(one, arm=f"arm {k}", difference=0.01 * k) for k in range(14))
    html = index_page([(replace(record, contrasts=many), "a/b.html")])

    assert len(places(drawings(html)[0][0])) == 12
    assert b"2 more arms are on the page." in html


def test_a_record_without_pairs_has_a_card_without_a_drawing() -> None:
    """There is nothing to draw, and the card says what is known."""
    record = compare.concluded(replace(classification(), fits=()))

    assert drawings(index_page([(record, "a/b.html")])) == []


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:20]))
def test_a_drawing_is_a_drawing_whatever_an_arm_is_called(text: str) -> None:
    """It parses, holds nothing but shapes and texts, and stays small."""
    rows = [strip.row(text, ("better", 1.0, 0.0, 2.0)), strip.row("b", (text, 0.0, -1.0, float("inf")))]
    svg = strip.strip(rows, band=0.5)
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(svg.encode()).iter()}  # noqa: S314  # ours

    assert tags == {"svg", "style", "text", "path", "g", "circle"}
    assert len(svg) < 4000
    assert len(strip.told(rows[0])) < 100


def test_the_drawing_of_two_runs_has_both_means_of_each_arm() -> None:
    """Before above after, on one scale, with their intervals; the headline counts what moved."""
    before = classification()
    fits = tuple(
        replace(
            f,
            metrics={**f.metrics, "test_accuracy": f.metrics["test_accuracy"] + 0.02 + 0.001 * (f.seed % 2)},
        )
        if f.arm == "l2"
        else f
        for f in before.fits
    )
    changes = compare.changes(before, replace(before, run="later", fits=fits))
    html = compare_page(changes)
    [(svg, words)] = drawings(html)
    means: list[Any] = [mean for change in changes.arms for mean in change.means]
    spreads = [one for change in changes.arms for one in change.spreads if one]
    ends = [end for pair in bars(svg) for end in pair]

    assert misfit(places(svg) + ends, means + [e for one in spreads for e in (one.low, one.high)]) < 0.1
    assert "l2 before 92" in words
    assert b"1 of 6 common arms moved distinguishably (l2); 5 are equal to the last bit." in html


def test_two_runs_that_are_the_same_are_said_to_be() -> None:
    """The headline of a comparison never counts a change that is none."""
    record = classification()

    html = compare_page(compare.changes(record, replace(record, run="again")))

    assert b"Nothing came out differently: all fits of 6 common arms are equal to the last bit." in html


def written(folder: Path, *records: Record) -> list[Path]:
    """Write records, each with a page beside it."""
    paths = [folder / record.study / f"{record.run}.json" for record in records]
    for path, record in zip(paths, records, strict=True):
        record.save(path)
        path.with_suffix(".html").write_text("page")
    return paths


def test_cards_are_sorted_and_dated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By study, the default run first; the day comes from what is kept beside the records, not from them."""
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    mine = replace(classification(), run="a")
    paths = written(tmp_path, mine, classification(), regression(), ranking())
    Editions().begin([paths[0]], [], made="2026-01-02")

    html = publishing.index(tmp_path).read_text(encoding="utf-8")

    assert re.findall(r'<h2><a href="([^"]+)"', html) == [
        f"./{name}.html" for name in ("recommender/default", "tabular/default", "vision/default", "vision/a")
    ]
    assert re.findall(r'<time datetime="([^"]+)"', html) == ["2026-01-02"]
    assert "Which regularization predicts best from a table" in html


def test_the_day_is_the_one_that_the_maker_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """``SOURCE_DATE_EPOCH`` makes a report of another day again, byte by byte."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert dates.today() == "1970-01-02"

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ParameterError, match="SOURCE_DATE_EPOCH: expected whole seconds"):
        dates.today()

    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", dates.today())

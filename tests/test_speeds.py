"""Laws of what was measured beside peers: the table comes back whole, and the page says what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from math import exp
from typing import TYPE_CHECKING

import pytest
from timings import LINE, asked, growing, measured, timings

from benchmarks.__main__ import keep
from benchmarks._asked import ASKED, DIGITS, LIMIT, SKORCH
from benchmarks._figures import Contestant, figure, processor, raced
from benchmarks.growth import Here, _study, empty
from studylib import places, speeds
from studylib.errors import ParameterError
from studylib.figures.growth import draw_growth
from studylib.figures.speeds import draw_speeds
from studylib.pages import speeds_page
from studylib.speeds import OUTCOMES, Row, Speeds

if TYPE_CHECKING:
    from pathlib import Path


def page(table: Speeds) -> str:
    """Return the page of a table."""
    told = {"command": "studylib report", "commit": "5e613c0a1b2c"}
    return speeds_page(table, draw_speeds(table), draw_growth(table), **told).decode()


def test_a_table_comes_back_as_it_was(tmp_path: Path) -> None:
    """Every number, text and gap survives the file, and the file is the same each time."""
    path = tmp_path / "measured.json"
    timings().save(path)
    body = path.read_bytes()
    Speeds.load(path).save(path)

    assert Speeds.load(path) == timings()
    assert path.read_bytes() == body


@pytest.mark.parametrize("body", ["", "[]", '{"format": 2, "rows": []}', '{"format": 1, "rows": [{}]}'])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, body: str) -> None:
    """Empty, of another kind, of another format, or cut: the message says which file, and what to do."""
    path = tmp_path / "measured.json"
    path.write_text(body, encoding="utf-8")

    with pytest.raises(ParameterError, match=r"measured\.json: expected a table .* python -m benchmarks"):
        Speeds.load(path)


def test_the_newest_figure_of_a_row_replaces_the_older_and_no_other(tmp_path: Path) -> None:
    """Two benchmarks, kept one after the other, leave all rows that are asked, in their order."""
    path = tmp_path / "measured.json"
    first = [figure(DIGITS, SKORCH, "steps/s", [6.0], [1.0]), figure(DIGITS, LIMIT, "steps/s", [1.0], [2.0])]
    keep(first, path)
    newer = figure(DIGITS, SKORCH, "steps/s", [7.0, 9.0, 4.0], [1.0, 1.0, 2.0])
    keep([newer], path)
    rows = {row.asked.name: row for row in Speeds.load(path).rows}

    assert [row.asked for row in rows.values()] == list(ASKED)
    assert {name: row.figure for name, row in rows.items() if row.figure} == {
        newer.name: newer,
        first[1].name: first[1],
    }
    assert newer.ratio == 7.0
    assert (newer.ours, newer.theirs) == (7.0, 1.0)


def test_a_figure_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    """A row that is misspelt is told, with what was meant, and nothing is written."""
    path = tmp_path / "measured.json"
    wrong = replace(figure(DIGITS, SKORCH, "steps/s", [6.0], [1.0]), against="scorch")

    with pytest.raises(ParameterError, match=r"Did you mean 'digits MLP, 10 seeds | skorch'"):
        keep([wrong], path)
    assert not path.exists()


def test_a_bar_is_reached_by_the_median_in_its_own_direction() -> None:
    """At least five is reached by five and not by less; at most 0.6 by 0.6 and not by more."""
    least, most = asked("x", 5), asked("x", 0.6, "at most")

    assert Row(least, measured(least, 1.0, 5.0, 9.0)).outcome == "reached"
    assert Row(least, measured(least, 4.9, 4.9, 9.0)).outcome == "missed"
    assert Row(most, measured(most, 0.6, 0.1, 0.9)).outcome == "reached"
    assert Row(most, measured(most, 0.61)).outcome == "missed"
    assert Row(least).outcome == "not measured"


def test_the_line_is_that_of_exact_points() -> None:
    """Seconds that are a start and as much for each fit give both again."""
    line = measured(LINE, 1.0, points=growing()).line()

    assert (line.start, line.slope) == pytest.approx((0.1, 0.003))
    assert [line.at(point.fits) for point in growing()] == pytest.approx([p.typical for p in growing()])
    assert line.told() == "0.1 s at the start and 3 ms for each fit"


def test_the_page_says_what_the_table_says() -> None:
    """Every row with its bar, ratio, spread, speeds, machine, versions, command; the same bytes each time."""
    table, html = timings(), page(timings())
    rows = re.findall(r"<tr><th scope=\"row\">a network.*?</tr>", html)

    assert html == page(timings())
    assert "Of 5 figures that were asked for: 2 reached, 2 missed, 1 not measured." in html
    for words in ("slow &amp; old", "at least 5 ×", "5.4 ×", "4.9 to 5.5, 3 rounds", "12 346", "2 469"):
        assert words in rows[0]
    for words in ("x86_64 Abacus(R) &lt;3&gt;, 2 cores", "skorch 1.4.0", "python -m benchmarks stacks"):
        assert words in rows[0]
    assert "✓" in rows[0]
    assert [html.count(f"</span> {word}</span>") for word in OUTCOMES] == [2, 2, 1]
    assert html.count('<th scope="row">') == len(table.rows) + 3
    assert "0.1 s at the start and 3 ms for each fit" in html


def test_what_falls_short_is_told_in_plain_words_and_painted_as_such() -> None:
    """A bar that was missed stands above the picture, with both numbers; without one nothing is said."""
    table, html = timings(), page(timings())
    reached = Speeds(tuple(row for row in table.rows if row.outcome == "reached"))

    assert "2 figures fall short of what was asked" in html
    assert "a network, 10 seeds, against the limit: 0.27 ×, where at least 0.55 × was asked." in html
    assert "a network, 10 seeds, against before: 0.71 ×, where at most 0.6 × was asked." in html
    assert html.count('<span class="chip worse">') == 2
    assert "short of" not in page(reached)


def test_a_row_without_a_figure_names_the_command_that_fills_it() -> None:
    """Not measured is said in the table, in the picture and in its words; nothing stands in its place."""
    [row] = [one for one in timings().rows if one.figure is None]
    html, picture = page(Speeds((row,))), draw_speeds(Speeds((row,)))

    assert f"not measured; this fills it:<br><code>{row.asked.command}</code>" in html
    assert html.count('<td class="num">–</td>') == 3
    assert "not measured" in picture.svg
    assert (
        "H200: 400 networks against one by one on the same GPU not measured, asked at least 100"
        in picture.alt
    )
    assert draw_growth(Speeds((row,))).alt == "Cost by the number of fits: not measured."


def test_the_committed_table_has_every_row_that_is_asked() -> None:
    """Each with its bar and the command of a benchmark; no figure names a person's machine or folder."""
    table, body = Speeds.load(speeds.kept()), speeds.kept().read_text(encoding="utf-8")

    assert tuple(row.asked for row in table.rows) == ASKED
    assert len({row.asked.name for row in table.rows}) == len(table.rows)
    for row in table.rows:
        assert row.asked.command.startswith("python -m benchmarks ")
        assert row.figure is None or row.figure.name == row.asked.name
    assert '"/' not in body
    assert str(places.project()) not in body


def test_contestants_take_turns_and_the_first_round_does_not_count() -> None:
    """Speeds are work over time; a figure is returned for each row that is asked, and for no other."""
    now, seen = [0.0], []

    def taking(name: str, seconds: list[float]) -> Contestant:
        def run() -> None:
            seen.append(name)
            now[0] += seconds[seen.count(name) - 1]

        return Contestant(run, 12.0)

    contestants = {
        "ours": taking("ours", [100.0, 1.0, 2.0]),
        SKORCH: taking(SKORCH, [100.0, 6.0, 6.0]),
        "nobody asked": taking("other", [1.0, 1.0, 1.0]),
    }
    [found] = raced(DIGITS, "steps/s", contestants, rounds=2, clock=lambda: now[0])

    assert seen == ["ours", SKORCH, "other"] * 3
    assert found.ratios == (6.0, 3.0)
    assert (found.ours, found.theirs, found.machine) == (9.0, 2.0, processor())


def test_a_study_of_empty_fits_goes_the_whole_way() -> None:
    """Ten fits are planned, kept, recorded and found again; what each part takes is a share of the whole."""
    parts = _study(10, empty)

    assert list(parts.seconds) == ["plan", "look for", "compute, keep and enter", "record", "find again"]
    assert parts.whole == sum(parts.seconds.values()) > 0
    assert Here(empty).submit(exp, 0.0).result() == 1.0

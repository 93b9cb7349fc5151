"""Pages over many runs are made when there is something to show, kept while it is the same, and then go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from over_many import published, sizes
from timings import timings

from studylib import claims, overviews, pages, places, pool, speeds
from studylib.speeds import Speeds

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.records import Record

DRAWERS = partial(pool.local, 1)


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of reports with a store of its own."""
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    return tmp_path / "reports"


def saved(reports: Path, *records: Record) -> list[Path]:
    """Write records, each with something beside it that stands for its page."""
    paths = [reports / record.study / f"{record.run}.json" for record in records]
    for path, record in zip(paths, records, strict=True):
        record.save(path)
        path.with_suffix(".html").write_text("<p>a page</p>", encoding="utf-8")
    return paths


def test_a_page_is_made_kept_renewed_and_taken_away(reports: Path) -> None:
    """It follows the records: the same ones leave it as it is, others renew it, none take it away."""
    paths = saved(reports, *sizes(), *published())
    first = overviews.write(reports, DRAWERS)
    seen = [(path.stat().st_mtime_ns, path.read_bytes()) for path in first]

    assert [path.name for path in first] == ["reproductions.html", "sizes.html"]
    assert overviews.write(reports, DRAWERS) == first
    assert [(path.stat().st_mtime_ns, path.read_bytes()) for path in first] == seen
    index = (reports / "index.html").read_text(encoding="utf-8")
    assert all(f'<a href="./{path.name}">' in index for path in first)

    for path in (paths[0], paths[-1]):
        path.unlink()
    overviews.write(reports, DRAWERS)
    assert all(path.read_bytes() != before for path, (_, before) in zip(first, seen, strict=True))

    for path in paths[1:-1]:
        path.unlink()
    assert overviews.write(reports, DRAWERS) == []
    assert not any(path.exists() for path in first)
    assert "sizes.html" not in (reports / "index.html").read_text(encoding="utf-8")


def test_runs_of_no_benchmark_are_set_beside_no_published_number(reports: Path) -> None:
    """A page of published numbers is for the suites that follow their protocols."""
    saved(reports, *sizes(prefix="mine"))

    assert [path.name for path in overviews.write(reports, DRAWERS)] == ["sizes.html"]


def test_the_page_of_speeds_follows_what_was_measured(
    reports: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same table leaves the page as it is, another renews it, none takes it and its link away."""
    monkeypatch.setattr(places, "project", lambda: tmp_path)
    page, index = reports / "benchmarks.html", reports / "index.html"
    timings().save(speeds.kept())
    overviews.benchmarks(reports, DRAWERS)
    before = (page.stat().st_mtime_ns, page.read_bytes())
    overviews.benchmarks(reports, DRAWERS)

    assert (page.stat().st_mtime_ns, page.read_bytes()) == before
    assert '<a href="./benchmarks.html">' in index.read_text(encoding="utf-8")

    Speeds(timings().rows[:2]).save(speeds.kept())
    overviews.benchmarks(reports, DRAWERS)
    assert page.read_bytes() != before[1]

    speeds.kept().unlink()
    overviews.benchmarks(reports, DRAWERS)
    assert not page.exists()
    assert "benchmarks.html" not in index.read_text(encoding="utf-8")


def test_the_page_of_published_numbers_has_all_of_them_and_credits_its_data() -> None:
    """Each with its verdict; ours with interval and link; unchecked ones marked; the same bytes each time."""
    entries = [(record, f"{record.study}/{record.run}.html") for record in published()]
    page = pages.reproductions_page(entries, command="studylib report", commit="5e613c0a1b2c")
    html = page.decode()

    assert page == pages.reproductions_page(entries, command="studylib report", commit="5e613c0a1b2c")
    assert html.count('<th scope="row">') == sum(len(one.claims) for one in claims.sources())
    for verdict in ("reproduced", "better than published", "not comparable", "not run yet"):
        assert f"</span> {verdict}</span>" in html
    assert '<a href="./text/benchmark-movie_reviews.html">benchmark-movie_reviews</a>' in html
    assert "the quick run trains less than the protocol asks" in html
    assert '<span class="interval">unchecked</span>' in html
    assert "Snippets by Ada &amp; Bob" in html.partition("<footer>")[2]

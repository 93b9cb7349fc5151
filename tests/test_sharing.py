"""Reports for others: beside the code, on paper, in one file; and whether what is published is true."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from command_line import ROOT, studylib
from imaginary import classification

from studylib import browser, sharing, sources, verification
from studylib.errors import ParameterError, StudyError
from studylib.records import Record

if TYPE_CHECKING:
    from pathlib import Path

PUBLISHED = sorted((ROOT / "reports" / "published").glob("*/default.json*"))
STUDIES = sources.studies()
PAGE = """<!doctype html><html lang="en"><title>x</title><p>See <a href="./default.ipynb">the notebook</a>,
<a href="./default.json">the record</a>, <a href="../index.html">all</a>, <a href="#foot">the foot</a>,
<a href="../catalogue.html#mixup" rel="x">mixup</a>.</p><p id="foot">{}</p></html>"""


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a default report of each study, and what else lies about in such a folder."""
    monkeypatch.setenv("STUDYLIB_STORE", str(tmp_path / "store"))
    folder = tmp_path / "reports"
    for study in STUDIES:
        for run in ("default", "mine"):
            path = folder / study / f"{run}.json"
            replace(classification(), study=study, run=run).save(path)
            path.with_suffix(".html").write_text(PAGE.format(study), encoding="utf-8")
            path.with_suffix(".ipynb").write_text(f"notebook of {study}", encoding="utf-8")
    (folder / "catalogue.html").write_text('<a href="./index.html">back</a>', encoding="utf-8")
    (folder / "index.html").write_text('<a href="./vision/default.html">vision</a>', encoding="utf-8")
    (folder / "vision" / "broken.failed.ipynb").write_text("as far as it came", encoding="utf-8")
    (folder / "published").mkdir()
    (folder / "published" / "vision.png").write_bytes(b"a picture")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def dead_links(folder: Path) -> list[str]:
    """Return the links between the pages of a folder that lead nowhere."""
    pages = list(folder.rglob("*.html"))
    links = [(page, href) for page in pages for href in re.findall(r'href="([./][^"#]*)', page.read_text())]
    assert links
    return [f"{page}: {href}" for page, href in links if not (page.parent / unquote(href)).is_file()]


def test_what_is_published_is_all_of_it_where_there_is_room(reports: Path) -> None:
    """Pages, records and the index over them, with notebooks and catalogue; every link leads somewhere."""
    lines = sharing.publish(reports)
    files = content(reports / "published")

    assert files.keys() == {
        *(f"{study}/default{suffix}" for study in STUDIES for suffix in (".html", ".json", ".ipynb")),
        *("index.html", "catalogue.html", "vision.png"),
    }
    assert dead_links(reports / "published") == []
    assert files["vision/default.html"] == (reports / "vision" / "default.html").read_bytes()
    assert b"./catalogue.html" in files["index.html"]
    for study in STUDIES:
        ways = (reports, reports / "published")
        one, other = (Record.load(folder / study / "default.json") for folder in ways)
        assert repr(one) == repr(other)
    assert lines[-1].endswith("of 2.00 MB")
    sharing.publish(reports)
    assert content(reports / "published") == files


def test_what_has_no_room_is_left_out_and_not_linked(reports: Path) -> None:
    """First the catalogue goes, then the notebooks; records are gzipped before anything else is lost."""
    sharing.publish(reports)
    (reports / "catalogue.html").write_bytes(b" " * 1_950_000)
    sharing.publish(reports)
    without_catalogue = content(reports / "published")

    assert "catalogue.html" not in without_catalogue
    assert "vision/default.ipynb" in without_catalogue
    assert b"catalogue" not in without_catalogue["index.html"]
    assert b" mixup.</p>" in b" ".join(without_catalogue["vision/default.html"].split())
    assert dead_links(reports / "published") == []

    room = sharing.LIMIT - sum(map(len, without_catalogue.values()))
    (reports / "vision" / "default.html").write_text(PAGE.format("x" * (room + 50_000)), encoding="utf-8")
    sharing.publish(reports)
    tight = content(reports / "published")

    assert sum(map(len, tight.values())) <= sharing.LIMIT
    assert {f"{study}/default.json.gz" for study in STUDIES} < tight.keys()
    assert not [name for name in tight if name.endswith(".json")]
    assert dead_links(reports / "published") == []
    packed = Record.load(reports / "published" / "vision" / "default.json.gz")
    assert repr(packed) == repr(Record.load(reports / "vision" / "default.json"))


def test_what_is_too_large_is_refused_before_anything_is_written(reports: Path) -> None:
    """The sizes are named, the largest first; what was published stays as it was."""
    sharing.publish(reports)
    before = content(reports / "published")
    (reports / "text" / "default.html").write_bytes(b" " * 2_100_000)

    with pytest.raises(StudyError, match=r"at most 2\.00 MB, got 2\.\d\d MB: text/default\.html 2\.10 MB, "):
        sharing.publish(reports)

    assert content(reports / "published") == before


def test_what_is_missing_is_named(reports: Path) -> None:
    """With the command that makes it."""
    (reports / "tabular" / "default.html").unlink()

    with pytest.raises(ParameterError, match=r"tabular/default\.html: there is no such file.*make report"):
        sharing.publish(reports)


def test_a_zip_holds_what_its_reader_needs(reports: Path) -> None:
    """Pages, records, notebooks, a README that says what to open, sums that fit; the same bytes each time."""
    first = sharing.share(reports).read_bytes()
    with zipfile.ZipFile(sharing.share(reports)) as archive:
        names = [name.removeprefix("studylib-reports/") for name in archive.namelist()]
        bodies = {name: archive.read(f"studylib-reports/{name}") for name in names}
        dates = {entry.date_time for entry in archive.infolist()}

    assert sharing.share(reports).read_bytes() == first
    assert dates == {(1980, 1, 1, 0, 0, 0)}
    assert names == sorted(names)
    assert set(names) == {
        *(
            f"{s}/{run}{end}"
            for s in STUDIES
            for run in ("default", "mine")
            for end in (".html", ".json", ".ipynb")
        ),
        *("index.html", "catalogue.html", "README.txt", "SHA256SUMS"),
    }
    told_sums = [line.split("  ") for line in bodies["SHA256SUMS"].decode().splitlines()]
    sums = {name: digest for digest, name in told_sums}
    assert sums == {n: hashlib.sha256(body).hexdigest() for n, body in bodies.items() if n != "SHA256SUMS"}
    told = bodies["README.txt"].decode()
    assert "index.html, in any browser" in told
    assert "studylib verify forecasting/default.json" in told


def test_there_is_nothing_to_share_before_there_is_a_report(tmp_path: Path) -> None:
    """The command line says what to do, ends with 2, and writes nothing."""
    for words in (("share",), ("publish",), ("pdf",)):
        done = studylib(*words, cwd=tmp_path, store=tmp_path / "store")
        assert done.returncode == 2, done.stderr
        assert "make report" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_gzipped_record_that_is_damaged_is_refused(tmp_path: Path) -> None:
    """As any other that is no record."""
    whole = gzip.compress(b"{}" * 100, mtime=0)
    for body in (b"{}", whole[:-12], whole[:20] + b"\0\0" + whole[22:], b""):
        (tmp_path / "default.json.gz").write_bytes(body)
        with pytest.raises(ParameterError, match=r"default\.json\.gz: expected a record"):
            Record.load(tmp_path / "default.json.gz")


def installed() -> bool:
    """Return whether there is a browser."""
    try:
        return bool(browser.program())
    except ParameterError:
        return False


def test_what_is_printed_is_every_page_but_what_is_published(reports: Path) -> None:
    """Those over all runs first; what is published stays as small as it is."""
    (reports / "published" / "index.html").write_text("a copy", encoding="utf-8")
    names = [path.relative_to(reports).as_posix() for path in sharing.pages(reports)]

    assert names[:2] == ["catalogue.html", "index.html"]
    assert set(names[2:]) == {f"{study}/{run}.html" for study in STUDIES for run in ("default", "mine")}


@pytest.mark.skipif(not installed(), reason="no Chromium is installed")
def test_a_page_is_printed_beside_itself(reports: Path) -> None:
    """As a PDF, by the browser's own print."""
    page = reports / "vision" / "default.html"

    assert browser.print_page(page) == page.with_suffix(".pdf")
    assert page.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")


def test_a_browser_that_is_missing_or_fails_is_told(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked for, and how to name another; no half a PDF is left."""
    page = reports / "index.html"
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(ParameterError, match="CHROMIUM=/nowhere/chromium: expected a program"):
        browser.print_page(page)
    monkeypatch.setenv("CHROMIUM", "false")
    with pytest.raises(StudyError, match="the browser made nothing of it"):
        browser.print_page(page)
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ParameterError, match=r"chromium, chromium-browser, google-chrome, chrome.*CHROMIUM="):
        browser.print_page(page)
    assert not page.with_suffix(".pdf").exists()


@pytest.mark.skipif(not PUBLISHED, reason="nothing is published in reports/published")
def test_what_is_published_can_be_computed_again(tmp_path: Path) -> None:
    """A fit of each published record comes out the same here, and every conclusion follows from its fits."""
    alone = []
    for path in PUBLISHED:
        copy = tmp_path / path.parent.name / path.name
        copy.parent.mkdir()
        shutil.copy(path, copy)
        alone.append(copy)
    said: list[str] = []

    assert verification.verified(alone, 1, 1, said.append) == []
    assert sum("1 of " in line for line in said) == len(PUBLISHED)


@pytest.mark.skipif(not PUBLISHED, reason="nothing is published in reports/published")
def test_what_is_published_is_small_whole_and_shows_its_records() -> None:
    """At most 2 MB; a page for each record, with its headline; no link leads nowhere."""
    folder = ROOT / "reports" / "published"

    assert sum(map(len, content(folder).values())) <= sharing.LIMIT
    assert dead_links(folder) == []
    assert {path.parent.name for path in PUBLISHED} == set(STUDIES)
    for path in PUBLISHED:
        page = (path.parent / "default.html").read_text(encoding="utf-8")
        assert Record.load(path).headline[:40].split("'")[0] in page

"""Every technique is in the catalogue, with all that is promised of each, computed by itself."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from command_line import made_once, smoke, studylib
from ruamel.yaml import YAML
from test_pages import ACTIVE, Page

from studylib.errors import StudyError
from studylib.figures.picture import Picture
from studylib.figures.technique import KINDS, draw_technique
from studylib.pages.catalogue import address, catalogue_page, formula, parts_of, yaml
from studylib.regularizers import CATALOGUE, base, make

if TYPE_CHECKING:
    from pathlib import Path

LINK = r'([^<>]*)<a href="(https://[^"]+)" rel="external noreferrer">'
every_name = pytest.mark.parametrize("name", CATALOGUE)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    """The picture of each technique, drawn once for all processes that share the tests."""
    folder = made_once(tmp_path_factory, "pictures", draw_all)
    drawn = json.loads((folder / "pictures.json").read_text(encoding="utf-8"))
    return {name: Picture(**own) for name, own in drawn.items()}


def draw_all(folder: Path) -> None:
    """Draw every technique."""
    drawn = {name: asdict(draw_technique(CATALOGUE.example(name))) for name in CATALOGUE}
    (folder / "pictures.json").write_text(json.dumps(drawn), encoding="utf-8")


@pytest.fixture(scope="module")
def page(pictures: dict[str, Picture]) -> Page:
    """The catalogue."""
    return page_of(pictures)


def page_of(pictures: dict[str, Picture]) -> Page:
    """Return the page that shows these pictures."""
    return Page(catalogue_page(pictures, command="studylib report", commit="5e613c0a1b2c").decode())


def article(page: Page, name: str) -> str:
    """Return the part of the page that is about one technique."""
    anchor = f'<h3 id="{name.replace("_", "-")}">'
    assert page.html.count(anchor) == 1
    return page.html.partition(anchor)[2].partition("</article>")[0]


def sources(page: Page, name: str) -> list[tuple[str, str]]:
    """Return (words before, address) of each link to a source of one technique."""
    shown = article(page, name).partition("<dt>Source</dt>")[2].partition("</dd>")[0]
    return re.findall(LINK, shown)


@every_name
def test_a_technique_has_all_that_the_catalogue_promises(name: str, page: Page) -> None:
    """Sentence, formula, picture, settings with ranges, use, traps, source, and how to ask for it."""
    technique, shown = CATALOGUE[name], article(page, name)

    assert technique.sections().keys() == {"Formula", "Use", "Traps"}
    assert all(len(text) > 20 for key, text in technique.sections().items() if key != "Formula")
    assert '<p class="finding">' in shown
    assert shown.count("<math") == len(parts_of(technique.sections()["Formula"]))
    assert shown.count('<img src="data:image/svg+xml') == 1
    assert re.search(r'<dt>Source</dt><dd><p>[^<]+\(\d{4}\), <a href="https://', shown)
    assert f'<pre tabindex="0"><code>{name.replace("_", " ")}: ' in shown
    for key in technique.settings():
        assert f'<th scope="row"><code>{key}</code></th>' in shown


@every_name
def test_a_picture_says_in_words_what_it_shows(name: str, pictures: dict[str, Picture]) -> None:
    """The text is one of sentences, the drawing is light, and nothing in it acts or is fetched."""
    picture = pictures[name]
    root = ET.fromstring(picture.svg)  # noqa: S314  # our own
    links = [v for node in root.iter() for key, v in node.attrib.items() if key.endswith(("href", "src"))]

    assert 40 < len(picture.alt) < 700
    assert picture.alt.endswith(".")
    assert "nan" not in picture.alt.split()
    assert len(picture.svg) < 45_000
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert not [node for node in root.iter() if node.tag.endswith(("script", "foreignObject"))]


@every_name
def test_a_formula_is_mathml(name: str) -> None:
    """It is well formed XML of the MathML namespace, and keeps the LaTeX that it comes from as its text."""
    latex = CATALOGUE[name].sections()["Formula"]
    lines = ET.fromstring(f"<div>{formula(latex)}</div>")  # noqa: S314  # our own

    assert [math.tag for math in lines] == ["{http://www.w3.org/1998/Math/MathML}math"] * len(lines)
    assert [math.attrib["alttext"] for math in lines] == parts_of(latex)
    assert all(node.tag.startswith(f"{{{lines[0].tag[1:].partition('}')[0]}}}") for node in lines[0].iter())
    assert "\\" not in "".join(lines.itertext())


def test_a_formula_is_broken_at_wide_spaces_outside_of_brackets() -> None:
    """What stands in brackets stays in one line, and nothing but the spaces is lost."""
    latex = r"a = \frac{1 \quad 2}{b}, \quad \left(c \qquad d\right), \qquad e,\ (f,\ g)\ h"

    assert parts_of(latex) == [
        r"a = \frac{1 \quad 2}{b},",
        r"\left(c \qquad d\right),",
        "e,",
        r"(f,\ g)\ h",
    ]


@every_name
def test_what_the_page_says_to_write_gives_the_example(name: str) -> None:
    """The line of YAML, read as a params file is, makes the regularizer that the picture is of."""
    ((arm, asked),) = YAML(typ="safe", pure=True).load(yaml(name)).items()

    assert arm == name.replace("_", " ")
    assert make(name, **asked[name]) == CATALOGUE.example(name)


@every_name
def test_a_source_is_an_author_a_year_and_an_address(name: str, page: Page) -> None:
    """Every address that the file opens with is a link, and before each stands who wrote it and when."""
    said = import_module(CATALOGUE[name].__module__).__doc__ or ""
    links = sources(page, name)

    assert [link for _, link in links] == [address(word) for word in re.findall(r"https://\S+", said)] != []
    for before, link in links:
        assert re.search(r"[^\W\d_]+\.? \(\d{4}\)", before)
        assert re.fullmatch(r"https://(doi\.org/10\.\d+|arxiv\.org/abs)/\S*[\w)]", link)


def test_an_address_ends_before_the_sentence_does() -> None:
    """Brackets inside a DOI belong to it, those around it and the full stop after it do not."""
    doi = "https://doi.org/10.1016/S0893-6080(98)00010-0"

    assert [address(word) for word in (doi, f"{doi}.", f"{doi}),", f"{doi};")] == [doi] * 4


def test_a_kind_without_a_drawing_is_named() -> None:
    """A technique that nobody can draw is an error, which says what to add and where."""

    class Strange(base.Regularizer):
        kind = "penalty"

    with pytest.raises(StudyError, match=r"its kind has no drawing.*figures/technique\.py"):
        draw_technique(Strange())


def test_every_kind_has_a_drawing() -> None:
    """Each class of base.py that a technique may be one of has a function that draws it, or its parent."""
    kinds = {
        one for one in vars(base).values() if isinstance(one, type) and issubclass(one, base.Regularizer)
    }
    abstract = {base.Regularizer, base.Layered, base.Schedule, base.Prediction}

    assert {kind.__name__ for kind in kinds - abstract if not KINDS.keys() & set(kind.__mro__)} == set()


def test_two_makings_of_the_page_are_equal(pictures: dict[str, Picture]) -> None:
    """The same pictures give the same bytes, and each technique the same picture."""
    some = ("l1", "max_norm", "dropout", "mixup", "early_stopping")
    again = {name: draw_technique(CATALOGUE.example(name)) for name in some}

    assert again == {name: pictures[name] for name in some}
    assert page_of(pictures).html == page_of(dict(reversed(pictures.items()))).html


def test_the_page_fetches_nothing(page: Page) -> None:
    """No source of an image or a style is elsewhere; only the sources of techniques are links to follow."""
    fetched = [a[key] for _, a in page.tags for key in ("src", "srcset", "action", "poster") if key in a]
    links = [a["href"] for a in page.all("a") if not a["href"].startswith(("#", "./"))]

    assert all(value.startswith("data:") for value in fetched)
    assert [link["href"] for link in page.all("link")] == ["data:,"]
    assert sorted(links) == sorted(link for name in CATALOGUE for _, link in sources(page, name))
    assert not [name for name, _ in page.tags if name in ACTIVE - {"math"}]
    assert not [tag for tag, attributes in page.tags if "style" in attributes]
    assert {"http-equiv": "x-dns-prefetch-control", "content": "off"} in page.all("meta")
    assert page.all("meta")[1]["content"].startswith("default-src 'none'; img-src data:; style-src 'sha256-")


def test_the_page_can_be_walked_without_seeing_it(page: Page) -> None:
    """Headings are in order, anchors lead somewhere, tables have scopes, boxes that scroll take the focus."""
    levels = [level for level, _ in page.headings]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    boxes: list[dict[str, Any]] = [box for box in page.all("div") if box.get("role") == "region"]

    assert (levels[0], levels.count(1), levels.count(3)) == (1, 1, len(CATALOGUE))
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")} <= set(ids)
    assert all(th.get("scope") in {"row", "col"} for th in page.all("th"))
    assert all(box["tabindex"] == "0" and box["aria-label"] for box in boxes)
    assert len(page.all("table")) == sum(box.get("class") == "scroll" for box in page.all("div"))
    assert all(image["alt"] for image in page.all("img"))


def test_the_table_of_contents_has_every_technique(page: Page) -> None:
    """Each is listed once, under its kind; how they act together comes last."""
    contents = page.html.partition('<nav id="contents"')[2].partition("</nav>")[0]
    listed = re.findall(r'<a href="#([\w-]+)">', contents)
    kinds = {CATALOGUE[name].kind for name in CATALOGUE}

    assert len(listed) == len(set(listed)) == len(CATALOGUE) + len(kinds) + 1
    assert listed[-1] == "together"


def test_the_page_is_light(page: Page) -> None:
    """A picture of every technique, and still little more than a megabyte."""
    assert len(page.html.encode()) < 1_300_000


def test_a_report_writes_the_catalogue_and_leaves_it_as_it_is(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """It stands beside the index, which links it, and the same report again touches neither."""
    runs = smoke(tmp_path_factory)
    pages = [runs.reports / name for name in ("catalogue.html", "index.html")]
    written = [path.stat().st_mtime_ns for path in pages]

    again = studylib("report", "--run", "smoke", "--out", runs.reports, cwd=runs.folder, store=runs.store)

    assert again.returncode == 0, again.stderr
    assert [path.stat().st_mtime_ns for path in pages] == written
    assert '<a href="./catalogue.html">' in pages[1].read_text(encoding="utf-8")

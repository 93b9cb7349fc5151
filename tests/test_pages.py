"""Pages say what the record says, act on nothing, fetch nothing, and can be read by everyone."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import nbformat
import pandas as pd
import pytest
from imaginary import classification, ranking, regression

from studylib import compare
from studylib.errors import ParameterError
from studylib.figures.differences import draw_differences
from studylib.figures.learning_curves import draw_learning_curves
from studylib.figures.reliability import draw_reliability
from studylib.pages import compare_page, index_page, study_page

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.figures.picture import Picture
    from studylib.records import Record

COMMAND = "python -m studylib run vision --set training.epochs=5 --arm 'best={l2: {strength: 0.1}}'"
COMMIT = "5e613c0a1b2c"
VOID = {"meta", "link", "img", "br", "hr"}
ACTIVE = {
    "iframe",
    "object",
    "embed",
    "form",
    "input",
    "base",
    "svg",
    "video",
    "audio",
}
HOSTILE = (
    "<script>alert(1)</script>",
    "</title></style></script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onfocus='alert(1)' autofocus='",
    '<a href="javascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](https://example.org/track) ![y](https://example.org/pixel.png)",
    "<iframe src='https://example.org'></iframe>",
    "<style>@import url(https://example.org/a.css);</style>",
    "<p style='background:url(https://example.org/a.png)'>x</p>",
    "{{ 7 * 7 }}{% include 'x' %}",
    "```mermaid\ngraph TD; A-->B\n```",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
)


@dataclass
class Page(HTMLParser):
    """What a browser would make of a page, as far as these tests ask."""

    html: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    text: str = ""
    headings: list[tuple[int, str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read the page; every tag that is opened has to be closed."""
        HTMLParser.__init__(self)
        self.feed(self.html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a tag down."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost tag."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect what is read, but for style sheet and script."""
        if self._open[-1:] in (["style"], ["script"]):
            return
        self.text += data
        if any(re.fullmatch("h[1-6]", tag) for tag in self._open):
            level, before = self.headings[-1]
            self.headings[-1] = (level, before + data)

    def all(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of every tag of that name."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def script(self) -> str:
        """The script."""
        return self.html.partition("<script>")[2].partition("</script>")[0]

    @property
    def style(self) -> str:
        """The style sheet."""
        return self.html.partition("<style>")[2].partition("</style>")[0]


def shown(**data: str) -> Any:
    """Return an output in several forms; ``text_html`` stands for ``text/html``."""
    return nbformat.v4.new_output("display_data", {key.replace("_", "/", 1): v for key, v in data.items()})


def drawn(picture: Picture) -> Any:
    """Return a picture as an output."""
    return nbformat.v4.new_output("display_data", picture._repr_mimebundle_())


def code(name: str, source: str, *outputs: Any, tags: tuple[str, ...] = ()) -> Any:
    """Return an executed code cell."""
    return nbformat.v4.new_code_cell(source, id=name, outputs=list(outputs), metadata={"tags": list(tags)})


def said(name: str, source: str) -> Any:
    """Return a Markdown cell."""
    return nbformat.v4.new_markdown_cell(source, id=name)


def html_of(frame: pd.DataFrame) -> str:
    """Return a table as a notebook has it, with the style that pandas adds there."""
    return f"<div>\n<style scoped>\n.dataframe td {{ color: red }}\n</style>\n{frame.to_html()}</div>"


def executed(path: Path, *cells: Any) -> Path:
    """Write a notebook."""
    nbformat.write(nbformat.v4.new_notebook(cells=list(cells)), path)
    return path


def typical(path: Path) -> Path:
    """Write a notebook such as the studies have."""
    record = classification()
    frame = compare.table(record).round(4)
    return executed(
        path,
        said(
            "title",
            "# Does dropout help?\n\n## Question\n\nIt is *said* to. See [Hinton](https://example.org/d).",
        ),
        code("parameters", "seeds = 3", tags=("parameters",)),
        code("injected-parameters", "seeds = 8", tags=("injected-parameters",)),
        said(
            "method",
            "## Method\n\n#### A heading two levels down\n\nλ·Σw², $x^2$\n\n| a | b |\n|---|---|\n| x | 1 |",
        ),
        code("run-arms", "record = run_study(params)  # all of them", shown(text_markdown=record.headline)),
        said("result", "## Result\n\n# Another first level\n\n## Result"),
        code("figure-differences", "figures.draw_differences(record)", drawn(draw_differences(record))),
        code("figure-curves", "figures.draw_learning_curves(record)", drawn(draw_learning_curves(record))),
        code("figure-reliability", "figures.draw_reliability(record)", drawn(draw_reliability(record))),
        code("table", "compare.table(record)", shown(text_html=html_of(frame), text_plain=str(frame))),
        code(
            "say",
            "print(1)",
            nbformat.v4.new_output("stream", name="stdout", text="\x1b[31mone\x1b[0m < two\n"),
        ),
    )


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a typical run."""
    return study_of(typical(tmp_path_factory.mktemp("study") / "run.ipynb"), classification())


def study_of(path: Path, record: Record) -> Page:
    """Return the page of a run."""
    return Page(study_page(path, record, command=COMMAND, commit=COMMIT).decode())


def index() -> Page:
    """Return the index over three runs."""
    entries = [
        (classification(), "vision/default.html"),
        (ranking(), "recommender/default.html"),
        (replace(regression(), run="a run: #2"), "tabular/a run: #2.html"),
    ]
    return Page(index_page(entries, command="make report", commit=COMMIT).decode())


def comparison() -> Page:
    """Return the page of two runs that differ."""
    before = classification()
    fits = tuple(
        replace(f, metrics={k: v + 0.002 * f.seed for k, v in f.metrics.items()}) if f.arm == "l2" else f
        for f in before.fits
    )
    after = replace(before, run="later", fits=fits, versions={**before.versions, "torch": "9.9"})
    return Page(compare_page(compare.changes(before, after), command="studylib compare a b").decode())


@pytest.fixture(params=["study", "index", "comparison"])
def page(request: pytest.FixtureRequest) -> Page:
    """Each of the three kinds of page."""
    makers: dict[str, Callable[[], Page]] = {"index": index, "comparison": comparison}
    maker = makers.get(request.param)
    found: Page = maker() if maker else request.getfixturevalue("study")
    return found


def test_a_page_refers_to_nothing_outside_itself(page: Page) -> None:
    """No attribute that is fetched or followed leads to another host, and the style imports nothing."""
    followed = [
        a[key] for _, a in page.tags for key in ("src", "href", "srcset", "action", "poster") if key in a
    ]

    assert not [value for value in followed if not value.startswith(("#", "data:", "./"))]
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert not [name for name, _ in page.tags if name in ACTIVE]
    assert "fetch" not in page.script
    assert "http" not in page.script


def test_the_policy_of_a_page_allows_its_own_style_and_script_and_nothing_from_elsewhere(page: Page) -> None:
    """The hashes in the Content-Security-Policy are those of the one style sheet and of the one script."""
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    style, script = (b64encode(sha256(own.encode()).digest()).decode() for own in (page.style, page.script))

    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{style}'",
        f"script-src 'sha256-{script}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert not [tag for tag, attributes in page.tags if "style" in attributes]
    assert len(page.all("style")) == len(page.all("script")) == 1


def test_a_page_can_be_walked_without_seeing_it(page: Page) -> None:
    """Language, skip link, landmarks, headings in order, headers with scope, boxes that take the focus."""
    levels = [level for level, _ in page.headings]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    anchors = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]

    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("title")) == len(page.all("main")) == len(page.all("header")) == 1
    assert page.all("a")[0] == {"class": "skip", "href": "#content"}
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(text.strip() for _, text in page.headings)
    assert len(ids) == len(set(ids))
    assert set(anchors) <= set(ids)
    assert all(th.get("scope") in {"row", "col"} for th in page.all("th"))
    assert all(
        box["tabindex"] == "0" and box["aria-label"] for box in page.all("div") if box.get("role") == "region"
    )
    assert len(page.all("table")) == sum(box.get("class") == "scroll" for box in page.all("div"))


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of the clock, of the machine or of chance is in a page."""
    path = typical(tmp_path / "run.ipynb")

    assert study_of(path, classification()).html == study_of(path, classification()).html
    assert (index().html, comparison().html) == (index().html, comparison().html)
    assert str(tmp_path) not in study_of(path, classification()).html


def test_a_study_page_is_light(study: Page) -> None:
    """With its pictures a page is far below the megabyte that it may have, and needs no second file."""
    assert len(study.html.encode()) < 300_000


def test_the_page_opens_with_question_headline_and_verdicts(study: Page) -> None:
    """The notebook's title is the first heading; the record's headline follows, then each arm."""
    record = classification()
    top, table = study.text.partition("It is said to.")[0], study.html.partition("<caption>")[2]

    assert study.headings[0] == (1, "Does dropout help?")
    assert record.headline in top
    assert "smallest effect that matters" in top.lower()
    best_first = [c.arm for c in sorted(record.contrasts, key=lambda c: -c.difference)]
    assert re.findall(r'<th scope="row">([^<]*)</th>', table)[:6] == ["none", *best_first]
    assert "91.9 %" in top
    assert "+2.27" in top


def test_fits_that_did_not_finish_stand_at_the_top(study: Page) -> None:
    """How many, which arm and seed, and why; nothing is dropped in silence."""
    assert "1 of 48 fits did not finish." in study.text
    assert "mixup: 1 of 8 diverged" in study.text
    assert "seed 3: The loss was inf at epoch 4." in study.text


def test_headings_are_put_in_order_and_listed(study: Page) -> None:
    """A second title is demoted, a level left out is closed up, equal headings get anchors of their own."""
    nav = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a></li>', study.html)

    assert [h for h in study.headings if h[0] < 4][1:-1] == [
        (2, "Question"),
        (2, "Result"),
        (2, "Another first level"),
        (2, "Result"),
        (2, "Each arm in numbers"),
        (3, "What each arm suffers from"),
        (2, "Data"),
        (2, "Method"),
        (3, "A heading two levels down"),
    ]
    assert nav[0] == ("question", "Question")
    assert [anchor for anchor, text in nav if text == "Result"] == ["result", "result-2"]
    assert nav[-1] == ("provenance", "How to make this page again")


def test_the_parameters_of_a_run_stand_for_those_of_the_notebook(tmp_path: Path) -> None:
    """A page says which parameters were used, and those of the notebook where nobody said others."""
    own = code("parameters", "seeds = 3", tags=("parameters",))
    given = code("injected-parameters", "seeds = 8", tags=("injected-parameters",))
    alone, both = (
        study_of(executed(tmp_path / f"{name}.ipynb", said("title", "# A study"), *cells), classification())
        for name, cells in (("alone", [own]), ("both", [own, given]))
    )

    assert "Parameters, as the notebook has them" in alone.html
    assert "Parameters of this run" in both.html
    assert "Parameters, as the notebook has them" not in both.html


def test_code_is_folded_and_named(study: Page) -> None:
    """Every code cell is behind a summary with the words of its id, and none is open."""
    summaries = re.findall(r"<summary>([^<]*)</summary>", study.html)

    assert "Code: figure differences" in summaries
    assert "Parameters of this run" in summaries
    assert not [d for d in study.all("details") if "open" in d]


def test_pictures_carry_their_words_their_size_and_their_bytes(study: Page) -> None:
    """The image is inside the page, the text of the picture is its alternative, and its place is kept."""
    picture = draw_differences(classification())
    image = study.all("img")[0]

    assert len(study.all("img")) == len(study.all("figure")) == 3
    assert b64decode(image["src"].removeprefix("data:image/svg+xml;base64,")).decode() == picture.svg
    assert image["alt"] == picture.alt.strip()
    assert int(image["width"]) > 300
    assert all(i["alt"] for i in study.all("img"))


def test_the_foot_tells_how_to_make_the_page_again(study: Page) -> None:
    """The exact command, the commit, versions and parameters."""
    foot = study.text[study.text.rindex("How to make this page again") :]

    assert COMMAND in foot
    assert COMMIT in foot
    assert "torch 2.13.0" in foot
    assert "learning_rate: 0.001" in foot
    assert foot.index("none: {}") < foot.index("l2 strong:")


def test_outputs_are_shown_as_text(study: Page) -> None:
    """Colours of a terminal are taken off, signs of HTML are signs, formulas keep their source."""
    assert '<pre tabindex="0">one &lt; two\n</pre>' in study.html
    assert '<math alttext="x^2" display="inline">' in study.html
    assert "Hinton (https://example.org/d)" in study.text


def test_html_in_prose_is_shown_as_it_was_written(tmp_path: Path) -> None:
    """Markdown is for prose; a tag in it is a word, and an image from elsewhere its description."""
    path = executed(tmp_path / "run.ipynb", said("prose", "A <b>bold</b> ![view](https://example.org/a.png)"))

    page = study_of(path, classification())

    assert "A <b>bold</b> view" in page.text


def test_frames_become_tables_with_aligned_numbers_and_verdicts(tmp_path: Path) -> None:
    """Columns of numbers are marked, also empty cells; the name of the index moves up into the corner."""
    frame = pd.DataFrame(
        {
            "mean": ["91 %", "4.5 nats"],
            "interval": ["−1 to 3", ""],
            "verdict": ["better", "baseline"],
            "n": [3, 12],
        },
        index=pd.Index(["<b>a", "c"], name="arm"),
    )
    path = executed(tmp_path / "run.ipynb", code("t", "t", shown(text_html=html_of(frame))))

    html = study_of(path, classification()).html
    table = re.sub(r"\s*\n\s*", "", html[html.index("Table from") :])

    number = '<th class="num" scope="col">'
    assert (
        f'<th scope="col">arm</th>{number}mean</th>{number}interval</th><th scope="col">verdict</th>' in table
    )
    assert '<th scope="row">&lt;b&gt;a</th><td class="num">91 %</td><td class="num">−1 to 3</td>' in table
    assert '<td><span class="chip better"><span aria-hidden="true">▲</span> better</span></td>' in table
    assert (
        '<td class="num">4.5 nats</td><td class="num"></td><td>baseline</td><td class="num">12</td>' in table
    )


def test_tables_that_span_columns_are_left_as_they_are(tmp_path: Path) -> None:
    """Two levels of column names cannot be counted; scopes are set all the same."""
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")]))
    path = executed(tmp_path / "run.ipynb", code("t", "t", shown(text_html=html_of(frame))))

    page = study_of(path, classification())

    assert all(th.get("scope") for th in page.all("th"))
    assert 'colspan="2"' in page.html


def hostile_record(text: str) -> Record:
    """Return a record that says ``text`` wherever a word may stand."""
    record = classification()
    arms = {text if arm == "dropout" else arm: {"l2": {"note": text}} for arm in record.params["arms"]}
    fits = tuple(
        replace(f, arm=text if f.arm == "dropout" else f.arm, reason=text if f.reason else "")
        for f in record.fits
    )
    verdict: Any = text
    contrasts = tuple(
        replace(c, arm=text, verdict=verdict) if c.arm == "dropout" else c for c in record.contrasts
    )
    facts = {**record.dataset, "name": text, "source": text, "licence": text, "about": text, "sha256": text}
    return replace(
        record,
        study=text,
        run=text,
        headline=text,
        fits=fits,
        contrasts=contrasts,
        dataset=facts,
        params={**record.params, "arms": arms},
        versions={text: text},
    )


def hostile_cells(text: str) -> Iterator[Any]:
    """Yield cells that say ``text`` wherever a notebook can."""
    yield said(
        "title", f"# {text}\n\n{text}\n\n## {text}\n\n- {text}\n\n> {text}\n\n| {text} |\n|---|\n| {text} |"
    )
    yield said("html", f"<div>{text}</div>\n\n{text}\n\n$${text}$$ and ${text}$")
    forms = {"text/html": f"<p>{text}</p><table><tr><td>{text}</td></tr></table>", "text/plain": text}
    yield code("outputs", f"{text}", nbformat.v4.new_output("display_data", forms))
    yield code(
        "words", "x", shown(text_markdown=text), shown(text_latex=text), shown(application_javascript=text)
    )
    yield code(
        "svg", "x", nbformat.v4.new_output("display_data", {"image/svg+xml": text, "text/plain": text})
    )
    yield code("png", "x", nbformat.v4.new_output("display_data", {"image/png": text, "text/plain": text}))
    yield code("stream", "x", nbformat.v4.new_output("stream", name="stderr", text=text))
    yield code("error", "x", nbformat.v4.new_output("error", ename=text, evalue=text, traceback=[text]))


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_is_written_anywhere_becomes_active(tmp_path: Path, text: str) -> None:
    """A title, an arm, a headline, prose and every kind of output stay words, whatever they say."""
    path = executed(tmp_path / "run.ipynb", *hostile_cells(text))
    record = hostile_record(text)
    after = replace(record, run=f"{text}2", versions={text: f"{text}3"})
    made = [
        study_page(path, record, command=text, commit=text),
        index_page([(record, f"{text}/x.html")], command=text, commit=text),
        compare_page(compare.changes(record, after), command=text, commit=text),
    ]

    for html in made:
        page = Page(html.decode())
        names = {name for name, _ in page.tags}
        attributes = [(key, value) for _, own in page.tags for key, value in own.items()]
        assert names & ACTIVE == set()
        assert len(page.all("script")) == 1
        assert not [key for key, _ in attributes if key.startswith(("on", "style", "srcdoc", "xlink"))]
        assert not [
            v for key, v in attributes if key in {"src", "href"} and not v.startswith(("#", "data:", "./"))
        ]
        assert len(page.all("meta")) == 5
        assert len(page.all("style")) == len(page.all("title")) == 1
    if "{{" in text:
        assert all("{{ 7 * 7 }}" in html.decode() for html in made)


def test_a_notebook_that_failed_says_so_at_the_top(tmp_path: Path) -> None:
    """The cell is named above everything, and its traceback stands where it happened."""
    error = nbformat.v4.new_output(
        "error", ename="Stopped", evalue="the kernel died", traceback=["the kernel died"]
    )
    path = executed(
        tmp_path / "run.ipynb", said("title", "# A study"), code("train", "x", error), code("after", "y")
    )

    page = study_of(path, classification())

    assert page.text.index("This notebook did not run to its end.") < page.text.index(
        "What the verdicts mean"
    )
    assert "Cell train failed." in page.text
    assert "Stopped: the kernel died" in page.text


def test_a_record_without_a_finding_still_has_a_page(tmp_path: Path) -> None:
    """Where no fit finished the page has the losses, the parameters and the way to do it again."""
    record = classification()
    fits = tuple(
        replace(f, status="failed", metrics={}, curves={}, reason="out of memory") for f in record.fits
    )
    lost = compare.concluded(replace(record, fits=fits))

    page = study_of(executed(tmp_path / "run.ipynb", said("text", "No title.")), lost)

    assert page.headings[0] == (1, "vision")
    assert "48 of 48 fits did not finish." in page.text
    assert page.text.count("out of memory") == 48
    assert "no fit finished" in page.text
    assert COMMAND in page.text


def test_what_is_no_notebook_is_refused_by_name(tmp_path: Path) -> None:
    """A page is made of an executed notebook only."""
    (tmp_path / "run.ipynb").write_text("not JSON")

    with pytest.raises(ParameterError, match=r"run\.ipynb: expected an executed notebook"):
        study_of(tmp_path / "run.ipynb", classification())


def test_the_index_links_every_page_with_its_headline() -> None:
    """A card has headline, verdicts, fits, losses, and links to page, notebook and record."""
    page = index()
    links = [a["href"] for a in page.all("a") if a["href"].startswith("./")]

    assert classification().headline in page.text
    assert "3 runs, 96 fits, 1 of which did not finish" in page.text
    assert "3 better" in page.text
    assert links[:3] == ["./vision/default.html", "./vision/default.ipynb", "./vision/default.json"]
    assert links[6] == "./tabular/a%20run%3A%20%232.html"
    assert "make report" in page.text


def test_an_index_of_nothing_says_so() -> None:
    """Before the first run there is a page, and it says that there is no study."""
    assert "No study has been run yet." in Page(index_page([]).decode()).text


def test_a_comparison_shows_what_was_asked_and_what_came_out() -> None:
    """An arm that did not change is equal to the last bit; one that did has its difference with interval."""
    page = comparison()

    assert page.headings[0] == (1, "vision/default → vision/later")
    assert "all 8 common fits equal to the last bit" in page.text
    assert re.search(r"\+0\.70*\d* ?0\.\d+ to 1\.\d+, 8 pairs", page.text)
    assert re.search(r"torch\s*2\.13\.0\s*9\.9", page.text)
    assert "The same." in page.text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(study: Page, scheme: str) -> None:
    """Every colour of text has a contrast of at least 4.5 on each ground that it stands on."""
    light, dark = re.findall(r":root \{(.*?)\}", study.style, re.DOTALL)[:2]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", light if scheme == "light" else dark))
    pairs = [(ink, ground) for ink in ("ink", "muted", "accent") for ground in ("paper", "raised", "sunk")]
    pairs += [(word, f"{word}-back") for word in ("better", "worse", "equivalent", "undecided", "warn")]
    pairs += [(word, "sunk") for word in ("equivalent", "worse")]  # in code

    assert {p: c for p in pairs if (c := contrast(colours[p[0]], colours[p[1]])) < 4.5} == {}


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21. Source: WCAG 2.2, definition of contrast ratio."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour such as ``#0b5a9c``, 0 to 1."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

"""The page of a run opens with its finding; under each figure stand its numbers, and how to draw it again."""

from __future__ import annotations

import csv
import html
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from imaginary import classification, ranking, regression
from test_pages import COMMAND, Page, code, drawn, executed, said, shown, study_of, typical

from studylib import compare
from studylib.checks.readings import of_page
from studylib.errors import ParameterError
from studylib.figures import draw_differences, draw_learning_curves, draw_popularity
from studylib.pages import drawings, formulas, study_page

if TYPE_CHECKING:
    from pathlib import Path

TEXT = re.compile(r"<t[dh](?: [^>]*)?>(.*?)</t[dh]>")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a typical run."""
    return study_of(typical(tmp_path_factory.mktemp("study") / "run.ipynb"), classification())


def files(page: Page) -> dict[str, str]:
    """Return the tables that a page offers, by the names of their files."""
    links = [a for a in page.all("a") if "download" in a]
    return {a["download"]: unquote(a["href"].partition(",")[2]) for a in links}


def test_the_first_screen_has_question_headline_one_figure_and_the_verdicts_in_this_order(
    study: Page,
) -> None:
    """A phone shows one under the other in the order of the page."""
    found = [study.html.index(text) for text in ("<h1>", '<p class="headline">', "<img ", "<caption>", "<h2")]

    assert found == sorted(found)
    assert study.all("img")[0]["alt"] == draw_differences(classification()).alt


def test_no_figure_is_shown_twice(study: Page) -> None:
    """Where the notebook draws the differences, a link leads to the figure at the top."""
    sources = [image["src"] for image in study.all("img")]

    assert len(sources) == len(set(sources)) == 3
    assert "The figure stands at the top of this page." in study.text
    assert {"href": "#differences"} in study.all("a")


def test_a_study_that_does_not_draw_the_differences_has_its_verdicts_all_the_same(tmp_path: Path) -> None:
    """The figure is the notebook's; the table is the record's."""
    page = study_of(executed(tmp_path / "run.ipynb", said("title", "# A study")), classification())

    assert page.all("img") == []
    assert "Mean test accuracy of each arm" in page.text


def test_what_came_out_stands_before_what_it_rests_on(tmp_path: Path) -> None:
    """Question, result, data, method, doubts; parameters and set-up are folded where they show nothing."""
    sections = ("Data", "Method", "Result", "A look of our own", "What would change our mind", "Provenance")
    cells = [said(f"c{k}", f"## {name}") for k, name in enumerate(sections)]
    first = said("title", "# A study\n\n## Question\n\nWhy?"), code("parameters", "seeds = 3")

    page = study_of(executed(tmp_path / "run.ipynb", *first, *cells), classification())

    assert [text for level, text in page.headings if level == 2] == [
        *(
            "Question",
            "Result",
            "A look of our own",
            "Each arm in numbers",
            "Data",
            "Method",
            "What would change our mind",
        ),
        *("Provenance", "How to make this page again"),
    ]
    assert re.search(r"<summary>Parameters and set-up</summary>.*?seeds.*?</details>", page.html, re.DOTALL)


def test_what_each_arm_was_watched_by_is_what_the_record_says(study: Page) -> None:
    """Every number with its unit, every diagnosis with its evidence, and a link from the contents."""
    frame = compare.monitoring(classification())
    table = study.html.partition('<h2 id="numbers">')[2].partition("</table>")[0]

    assert [html.unescape(cell) for cell in TEXT.findall(table)] == [
        *("arm", *frame.columns),
        *(cell for arm, row in frame.iterrows() for cell in (arm, *row)),
    ]
    assert {"href": "#numbers"} in study.all("a")
    for one in compare.diagnoses(classification()):
        assert f"{one.arm}{one.sentence}." in study.text


def test_what_was_not_watched_is_not_shown(tmp_path: Path) -> None:
    """A record without losses and weights has no such section, nor a link to it."""
    record = regression()
    fits = tuple(replace(fit, metrics={"test_rmse": 1.0}, curves={}) for fit in record.fits)

    page = study_of(executed(tmp_path / "run.ipynb", said("title", "# A study")), replace(record, fits=fits))

    assert "Each arm in numbers" not in page.text


def test_notebook_and_record_are_linked_beside_the_page(study: Page) -> None:
    """Whoever wants more than the page finds it where the page is."""
    assert [a["href"] for a in study.all("a") if a["href"].startswith("./")] == [
        "./default.ipynb",
        "./default.json",
    ]


def test_under_each_figure_stands_the_command_with_a_button_that_needs_the_script(study: Page) -> None:
    """Without JavaScript no button is there; with it each copies a text that exists."""
    captions = re.findall(r"<figcaption>.*?</figcaption>", study.html, re.DOTALL)
    ids = {attributes["id"] for _, attributes in study.tags if "id" in attributes}

    assert len(captions) == 3
    assert all(html.unescape(caption).count(COMMAND) == 1 for caption in captions)
    assert all("hidden" in button for button in study.all("button"))
    assert {button["data-copies"] for button in study.all("button")} <= ids
    assert len(study.all("button")) == 2 * len(captions) + 1


def test_the_line_under_a_figure_draws_this_very_figure(study: Page, tmp_path: Path) -> None:
    """Typed where the record is, it writes the bytes that the page shows."""
    classification().save(tmp_path / "default.json")
    lines = re.findall(r'<pre class="again"><code[^>]*>(.*?)</code>', study.html)
    program, *words = shlex.split(html.unescape(lines[0]))

    subprocess.run([sys.executable, *words], cwd=tmp_path, check=True)

    assert program == "python"
    assert (tmp_path / "differences.svg").read_text() == draw_differences(classification()).svg


@pytest.mark.parametrize(
    "source",
    [
        "figures.draw_augmented(augmented(params))",
        "figures.draw_differences(record); import os",
        "figures.draw_differences(record, open('x'))",
        "figures.draw_differences(record",
        "(" * 500,
        "",
    ],
)
def test_what_draws_from_more_than_the_record_has_no_such_line(source: str) -> None:
    """Code of a notebook is offered for a shell only where it calls the figures with the record."""
    assert drawings.alone(source, "default") == ""


def test_the_numbers_behind_a_figure_are_in_the_page_and_in_a_file(study: Page) -> None:
    """The file is what the figure was drawn from; the page shows its first rows, and says how many it has."""
    curves, differences = draw_learning_curves(classification()), draw_differences(classification())
    assert curves.data
    assert differences.data
    found = files(study)
    header, *rows = csv.reader(StringIO(differences.data.csv()))
    table = study.html.partition("<summary>Numbers behind this figure</summary>")[2].partition("</table>")[0]
    words = [re.sub(r"<span[^>]*>[^<]*</span> |<[^>]*>", "", cell) for cell in TEXT.findall(table)]

    assert found["vision-default-figure-differences.csv"] == differences.data.csv()
    assert found["vision-default-figure-curves.csv"] == curves.data.csv()
    assert words == [*header, *(cell for row in rows for cell in row)]
    assert f"Download all {len(curves.data.rows)} rows (CSV); here are the first 12." in study.text


@pytest.mark.parametrize("text", ["", "a,b\n", '"a\n', "a\x00b\nc\n", ",".join("a" * 50) + "\n1\n"])
def test_what_is_no_table_is_not_shown_as_one(text: str) -> None:
    """A form of an output that claims to be a table is taken for one only if it has a header and rows."""
    found = drawings.numbers(text, "x")

    assert found is None or found.rows > 0


def test_numbers_from_a_notebook_stay_text(tmp_path: Path) -> None:
    """Names of columns and cells are shown letter by letter, and leave neither the table nor the link."""
    hostile = '<script>alert(1)</script>,"a"" onclick=""x"\n<img src=x onerror=y>,&lt;\n'
    picture = draw_differences(classification())
    output = drawn(picture)
    output.data["text/csv"] = hostile

    page = study_of(executed(tmp_path / "run.ipynb", code("c", "x", output)), classification())

    assert [*files(page).values()] == [hostile]
    assert "<img src=x onerror=y>" in page.text
    assert len(page.all("img")) == len(page.all("script")) == 1


@pytest.mark.parametrize(
    "latex", [r"\frac{1}{2}", "a < b", r"\lambda \sum_i w_i^2", r"\begin{pmatrix}a&b\end{pmatrix}"]
)
def test_formulas_in_prose_are_mathml(latex: str, tmp_path: Path) -> None:
    """Within a sentence and in a line of their own, with their LaTeX as the words for it."""
    cell = said("prose", f"So ${latex}$ and\n\n$${latex}$$")

    page = study_of(executed(tmp_path / "run.ipynb", cell), classification())

    assert [math["alttext"] for math in page.all("math")] == [latex, latex]
    assert [math["display"] for math in page.all("math")] == ["inline", "block"]


@pytest.mark.parametrize(
    "latex",
    [
        r"\href{javascript:alert(1)}{x}",
        "</math><script>alert(1)</script>",
        r"\text{<img src=x onerror=alert(1)>}",
        r"\unknown{x}",
        r"\begin{x",
        "{" * 900,
        "x" * 100_000,
        "a\u202eb",
        r"\style{background:url(https://example.org)}{x}",
    ],
)
def test_what_is_no_formula_stays_text(latex: str) -> None:
    """Commands that are not known, markup, endless ones: shown as they were written."""
    found = formulas.inline(latex)

    assert found.startswith('<code class="math">')
    assert html.unescape(re.sub("<[^>]*>", "", found)) == latex


def test_money_is_no_formula(tmp_path: Path) -> None:
    """Two amounts in one sentence are not the ends of a formula."""
    page = study_of(executed(tmp_path / "run.ipynb", said("prose", "It costs $5 and $6.")), classification())

    assert "It costs $5 and $6." in page.text


def test_what_was_left_out_of_an_output_is_said(tmp_path: Path) -> None:
    """Foreign HTML is named by its tags and handlers; the style that pandas writes is no stranger."""
    foreign = "<style scoped>td {}</style><p onclick='x'>one<img src='https://example.org/a.png'></p>"
    cells = [
        code("a", "x", shown(text_html=foreign)),
        code("b", "x", shown(text_html="<style scoped>td {}</style><table class='dataframe'></table>")),
        code("c", "x", shown(application_javascript="alert(1)")),
    ]

    page = study_of(executed(tmp_path / "run.ipynb", *cells), classification())

    assert page.text.count("Cleaned: ") == 1
    assert "Cleaned: this output came as HTML with img, onclick." in page.text
    assert "Not shown: an output that is no text, table or image (application/javascript)." in page.text


def test_a_page_has_a_date_only_where_its_maker_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SOURCE_DATE_EPOCH is one of the inputs that give the same bytes; what is no date is refused."""
    path = typical(tmp_path / "run.ipynb")
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    undated = study_of(path, classification())
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    dated = study_of(path, classification())
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")

    assert "<time" not in undated.html
    assert '<time datetime="2023-11-14">' in dated.html
    with pytest.raises(ParameterError, match="SOURCE_DATE_EPOCH: expected whole seconds"):
        study_of(path, classification())


def test_verification_reads_over_the_command_and_the_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page made again without knowing how it was called, or when, has the same lines."""
    path = typical(tmp_path / "run.ipynb")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    one = study_page(path, classification(), command="studylib run 1 2 3", commit="a")
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    other = study_page(path, classification(), command="", commit="b")

    assert of_page(one.decode()).lines == of_page(other.decode()).lines


def test_a_page_is_a_third_of_what_nbconvert_makes_of_the_notebook(tmp_path: Path) -> None:
    """And at most 400 kB, with all numbers behind its figures."""
    from nbconvert import HTMLExporter

    path = typical(tmp_path / "run.ipynb")
    size = len(study_page(path, classification(), command=COMMAND, commit="a"))
    usual, _ = HTMLExporter().from_filename(str(path))

    assert size <= 400_000
    assert size * 3 <= len(usual.encode())


def test_two_studies_rendered_at_once_never_mix(tmp_path: Path) -> None:
    """Pages made side by side are, byte by byte, those made alone."""
    other = executed(
        tmp_path / "other.ipynb",
        said("title", "# Another"),
        code("c", "x", drawn(draw_popularity(ranking()))),
    )
    runs = [(typical(tmp_path / "run.ipynb"), classification()), (other, ranking())]
    alone = [study_page(path, record, command="", commit="") for path, record in runs]

    with ThreadPoolExecutor(4) as pool:
        beside = [*pool.map(lambda run: study_page(*run, command="", commit=""), runs * 4)]

    assert beside == alone * 4

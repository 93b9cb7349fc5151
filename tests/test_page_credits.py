"""What a licence asks to be said, what a run costs and who chose the metric stand where readers look."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

from imaginary import classification
from test_pages import COMMAND, typical

from studylib import compare
from studylib.checks.readings import of_page
from studylib.pages import compare_page, index_page, study_page

if TYPE_CHECKING:
    from pathlib import Path

    from studylib.records import Record

CREDIT = 'Snippets by Ada & Bob, licensed under CC BY 4.0 "International".'
BUDGET = "about 40 min on two cores; not measured on a GPU"


def credited() -> Record:
    """Return a record of data that ask to be attributed, and that decided by what arms are judged."""
    record = classification()
    facts = {"attribution": CREDIT, "decides": ["metric"]}
    return replace(record, dataset={**record.dataset, **facts})


def test_who_made_the_data_is_said_on_every_page_that_shows_them() -> None:
    """Index and comparison name each source once, in sight, and nothing where no licence asks."""
    record = credited()
    said = str(escape(CREDIT, quote=False))
    index = index_page([(record, "a/a.html"), (record, "a/b.html")]).decode()
    compared = compare_page(compare.changes(classification(), record)).decode()

    for html in (index, compared):
        found = html.replace("&#34;", '"')
        assert found.count(said) == 1 + ("attribution" in found.partition("<footer>")[0])
        assert said in found.partition("<footer>")[2]
    assert "Data by" not in index_page([(classification(), "a/a.html")]).decode()


def test_the_page_of_a_run_credits_its_data_and_says_what_it_costs(tmp_path: Path) -> None:
    """The foot has both, beside the command that makes the page again."""
    executed = typical(tmp_path / "run.ipynb")
    html = study_page(executed, credited(), command=COMMAND, commit="", budget=BUDGET).decode()
    foot = html.partition("<footer>")[2].replace("&#34;", '"')

    assert str(escape(CREDIT, quote=False)) in foot
    assert BUDGET in foot
    assert "chosen by the dataset, as nobody said another" in html
    assert html.count("chosen by the dataset") == 1


def test_what_a_run_costs_is_no_number_of_its_record(tmp_path: Path) -> None:
    """Whoever verifies a page does not hold it to the words of a params file."""
    executed = typical(tmp_path / "run.ipynb")
    pages = [
        study_page(executed, classification(), command=COMMAND, commit="", budget=budget).decode()
        for budget in ("", BUDGET)
    ]

    assert pages[0] != pages[1]
    assert of_page(pages[0]).lines == of_page(pages[1]).lines

"""What the catalogue says is set as sentences, code and numbers that can be read."""

from __future__ import annotations

import re

import pytest

from studylib.figures.picture import Picture
from studylib.pages.catalogue import catalogue_page, formula
from studylib.regularizers import CATALOGUE, base

CELL = r"<td>([^<]*)</td>"


@pytest.fixture(scope="module")
def page() -> str:
    """The catalogue without its pictures."""
    nothing = Picture(svg="<svg xmlns='http://www.w3.org/2000/svg'/>", alt="Nothing.")
    return catalogue_page(dict.fromkeys(CATALOGUE, nothing)).decode()


def test_code_is_set_as_code(page: str) -> None:
    """No backquote of a docstring is left, in notes, uses and traps, or where sources are told."""
    assert "`" not in page.partition("</style>")[2]


@pytest.mark.parametrize("part", ["Use", "Traps"])
def test_a_part_begins_as_a_sentence(page: str, part: str) -> None:
    """Each use and each trap begins with a capital letter or code, however its docstring begins."""
    begins = re.findall(rf"<dt>{part}</dt>\s*<dd>\s*(<code>|.)", page)

    assert len(begins) == len(CATALOGUE)
    assert [one for one in begins if one != one.upper() and one != "<code>"] == []


def test_a_number_has_few_digits(page: str) -> None:
    """Defaults that are fractions of e or of 2.6 are rounded to three digits."""
    numbers = [cell for cell in re.findall(CELL, page) if re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)]

    assert len(numbers) > 20
    assert max(map(len, numbers)) <= 8


def test_what_disturbs_inputs_says_which(page: str) -> None:
    """Images that are flipped are not those of a ranking, which has none."""
    article = page.partition('<h3 id="flip">')[2].partition("</article>")[0]

    assert "For classification, regression (images)." in article
    for name, technique in CATALOGUE.items():
        shown = page.partition(f'<h3 id="{name.replace("_", "-")}">')[2].partition("</article>")[0]
        about = re.search(r'<p class="small">For ([^<]*)\.</p>', shown)
        assert about
        assert ("(" in about[1]) == issubclass(technique, base.Perturbation | base.Attack)


def test_bars_hug_what_they_enclose_and_a_logarithm_does_not() -> None:
    """An absolute value is no division, and log K no product of four letters."""
    bars = re.findall(r"<mo ([^>]*)>&#x0007C;</mo>", formula(r"\sum_i |w_i|"))

    assert bars == ['stretchy="false" lspace="0" rspace="0"'] * 2
    assert '<mi>log</mi><mspace width="0.17em"/><mi>K</mi>' in formula(r"\log K")

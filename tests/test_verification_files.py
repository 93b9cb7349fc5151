"""Verification: notebook and page beside a record carry its numbers, or what they carry instead is named."""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from command_line import Smoke, smoke

from studylib import publishing, verification

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Rows: TypeAlias = dict[str, list[list[str]]]

COMMIT = re.compile(r"(?<=<dt>Commit</dt><dd><code>).*?(?=</code>)")
IMAGE = re.compile(r'(?<=<img src=")[^"]*')
HEADLINE = re.compile(r'(?<=<p class="headline">).*?(?=</p>)')
SUFFIXES = (".json", ".ipynb", ".html")


@pytest.fixture(scope="session")
def smoke_runs(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """Return the smoke runs of all studies."""
    return smoke(tmp_path_factory)


def replaced(path: Path, before: str, after: str, count: int = 1) -> None:
    """Change a text in a file."""
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, count), encoding="utf-8")


def one_up(digits: re.Match[str]) -> str:
    """Return another digit."""
    return str((int(digits[0]) + 1) % 10)


def in_notebook(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the cells of a notebook, by their ids."""
    path = run.with_suffix(".ipynb")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    change({cell["id"]: cell for cell in notebook["cells"]})
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")


def notebook_digit(run: Path) -> None:
    """Change the last digit of the first number in a table of the notebook."""

    def change(cells: dict[str, Any]) -> None:
        data = cells["table-verdicts"]["outputs"][0]["data"]
        html = "".join(data["text/html"])
        data["text/html"] = re.sub(r"\d(?= %</td>)", one_up, html, count=1)

    in_notebook(run, change)


def notebook_text(run: Path) -> None:
    """Change a digit in the words that describe a picture."""

    def change(cells: dict[str, Any]) -> None:
        data = cells["figure-differences"]["outputs"][0]["data"]
        data["text/plain"] = re.sub(r"\d(?=\), undecided)", one_up, "".join(data["text/plain"]), count=1)

    in_notebook(run, change)


def notebook_pictures(run: Path) -> None:
    """Swap two pictures."""

    def change(cells: dict[str, Any]) -> None:
        one, other = (cells[f"figure-{name}"]["outputs"][0]["data"] for name in ("differences", "curves"))
        one["image/svg+xml"], other["image/svg+xml"] = other["image/svg+xml"], one["image/svg+xml"]

    in_notebook(run, change)


def notebook_output_gone(run: Path) -> None:
    """Take a table away."""
    in_notebook(run, lambda cells: cells["table-likelihood"].update(outputs=[]))


def notebook_cell(run: Path) -> None:
    """Let a cell print a number that the study does not have."""
    output = {"output_type": "stream", "name": "stdout", "text": ["accuracy: 99.9 %\n"]}
    in_notebook(run, lambda cells: cells["imports"].update(outputs=[output]))


def notebook_parameters(run: Path) -> None:
    """Show parameters that are not those of the record."""

    def change(cells: dict[str, Any]) -> None:
        cell = cells["injected-parameters"]
        cell["source"] = "".join(cell["source"]).replace("seeds = 2", "seeds = 20")

    in_notebook(run, change)


def no_notebook(run: Path) -> None:
    """Write something else into the file."""
    run.with_suffix(".ipynb").write_text("[]", encoding="utf-8")


def page_digit(run: Path) -> None:
    """Change the last digit of the first number in a table of the page."""
    page = run.with_suffix(".html")
    text = page.read_text(encoding="utf-8")
    page.write_text(re.sub(r"\d(?= %</td>\n)", one_up, text, count=1), encoding="utf-8")


def page_verdict(run: Path) -> None:
    """Give an arm another verdict, where the page shows all at a glance."""
    replaced(run.with_suffix(".html"), "</span> undecided</span><span", "</span> better</span><span")


def page_headline(run: Path) -> None:
    """Change a digit in the headline of the page."""
    page = run.with_suffix(".html")
    text = page.read_text(encoding="utf-8")
    changed = HEADLINE.sub(lambda found: re.sub(r"\d(?= points)", one_up, found[0]), text)
    page.write_text(changed, encoding="utf-8")


def page_words(run: Path) -> None:
    """Change the words of the headline."""
    replaced(run.with_suffix(".html"), '<p class="headline">No arm', '<p class="headline">Every arm')


def page_pictures(run: Path) -> None:
    """Swap two pictures."""
    page = run.with_suffix(".html")
    text = page.read_text(encoding="utf-8")
    *_, one, other = IMAGE.findall(text)
    page.write_text(text.replace(one, "?").replace(other, one).replace("?", other, 1), encoding="utf-8")


def page_row_gone(run: Path) -> None:
    """Take an arm out of the table at a glance."""
    page = run.with_suffix(".html")
    text = page.read_text(encoding="utf-8")
    page.write_text(re.sub(r'<tr><th scope="row">shift</th>.*?</tr>', "", text, count=1), encoding="utf-8")


def page_parameters(run: Path) -> None:
    """Show parameters that are not those of the record."""
    replaced(run.with_suffix(".html"), "  epochs: 2\n", "  epochs: 200\n")


def other_page(run: Path) -> None:
    """Put the page of another run beside the record."""
    other = run.parents[1] / "another" / "smoke.html"
    run.with_suffix(".html").write_bytes(other.read_bytes())


def older_page(run: Path) -> None:
    """Let older code have made the page: other words, another picture, a fact less."""
    page = run.with_suffix(".html")
    text = COMMIT.sub("0123456789ab", page.read_text(encoding="utf-8"))
    text = text.replace("Real scans of", "Scans of").replace(
        "Smallest effect that matters", "Smallest effect"
    )
    text = re.sub(r"<div><dt>Fits</dt>.*?</div>", "", text).replace(IMAGE.findall(text)[-1], "data:,")
    page.write_text(text, encoding="utf-8")


def older_wrong_page(run: Path) -> None:
    """The same, with a digit that is wrong."""
    older_page(run)
    page_digit(run)


def older_loud_page(run: Path) -> None:
    """The same, with a headline that the record does not have."""
    older_page(run)
    page_words(run)


def alone(run: Path) -> None:
    """Take notebook and page away."""
    for suffix in (".ipynb", ".html"):
        run.with_suffix(suffix).unlink()


# a change, and (where, what starts, recorded starts) of a difference that it makes; none at all without one
CHANGES: dict[str, tuple[Callable[[Path], None], str | None]] = {
    "true": (lambda _: None, None),
    "notebook digit": (
        notebook_digit,
        r"notebook, cell table-verdicts +mixup .* \d\d\.\d +\d\d\.\d +[+-]0\.[19]",
    ),
    "notebook text": (notebook_text, r"notebook, cell figure-differences +Test accuracy against none"),
    "notebook pictures": (
        notebook_pictures,
        r"notebook, cell figure-differences .* picture \w+ +picture \w+",
    ),
    "notebook output gone": (notebook_output_gone, r"notebook, cell table-likelihood .* nothing "),
    "notebook cell": (notebook_cell, r"notebook, cell imports +accuracy: 99.9 % .* nothing"),
    "notebook parameters": (notebook_parameters, r"notebook, parameters +seeds +20 +2 +-18"),
    "no notebook": (no_notebook, r"notebook .*expected a notebook"),
    "page digit": (page_digit, r"page, .* \d\d\.\d +\d\d\.\d +[+-]0\.[19]"),
    "page verdict": (page_verdict, r"page, .* better +undecided"),
    "page headline": (page_headline, r"page, Which augmentation .* 0\.6 +0\.5 +-0\.1"),
    "page words": (page_words, r"page, Which augmentation .* Every arm .* No arm"),
    "page pictures": (page_pictures, r"page, Result .* picture \w+ +picture \w+"),
    "page row gone": (page_row_gone, r"page, .* nothing +shift "),
    "page parameters": (page_parameters, r"page, How to make this page again +epochs: 200 +200 +2 +-2e\+02"),
    "other page": (other_page, r"page +… and \d+ more"),
    "older page": (older_page, None),
    "older wrong page": (older_wrong_page, r"page, .* \d\d\.\d +\d\d\.\d +[+-]0\.[19]"),
    "older loud page": (older_loud_page, r"page, Which augmentation .* Every arm .* No arm"),
    "alone": (alone, None),
}


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    """Return what was said of each while verifying."""
    return {}


@pytest.fixture(scope="module")
def differences(
    smoke_runs: Smoke, tmp_path_factory: pytest.TempPathFactory, told: dict[str, list[str]]
) -> dict[str, list[str]]:
    """Return the rows of the table after each of the changes."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / "another").mkdir()
    (folder / "another" / "smoke.html").write_bytes(
        (smoke_runs.reports / "tabular" / "smoke.html").read_bytes()
    )
    paths = {}
    commit = escape(publishing.commit())  # files of the tree that runs these tests may change meanwhile
    for name, (change, _) in CHANGES.items():
        run = folder / name.replace(" ", "-") / "smoke"
        run.parent.mkdir()
        for suffix in SUFFIXES:
            source = smoke_runs.reports / "vision" / f"smoke{suffix}"
            run.with_suffix(suffix).write_bytes(source.read_bytes())
        page = run.with_suffix(".html")
        page.write_text(COMMIT.sub(commit, page.read_text(encoding="utf-8")), encoding="utf-8")
        change(run)
        paths[name] = run.with_suffix(".json")
    said: list[str] = []
    rows = verification.verified([*paths.values()], 1, 1, said.append)
    for line in said:
        name = next((name for name, path in paths.items() if line.startswith(f"{path}: ")), "")
        told.setdefault(name or list(told)[-1], []).append(line)
    return {name: [row for row in rows if row.startswith(f"{path} ")] for name, path in paths.items()}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_file_shows_is_what_its_record_says(name: str, differences: dict[str, list[str]]) -> None:
    """Digits, verdicts, headlines, pictures, parameters: what was changed is named, what is true is not."""
    _, said = CHANGES[name]

    if said is None:
        assert differences[name] == []
    else:
        assert any(re.search(said, row) for row in differences[name]), differences[name]


def test_a_change_in_one_file_is_not_blamed_on_the_other(differences: dict[str, list[str]]) -> None:
    """Both are held against the record, and not against each other."""
    for name, rows in differences.items():
        if name.startswith(("notebook", "page")):
            assert all(re.search(rf"  {name.split()[0]}(, |  )", row) for row in rows), rows


def test_one_change_makes_one_difference(differences: dict[str, list[str]]) -> None:
    """What stands once is told once."""
    for name in ("notebook digit", "notebook cell", "notebook parameters", "page digit", "page verdict"):
        assert len(differences[name]) == 1, differences[name]


def test_a_page_of_older_code_is_not_accused_while_its_numbers_agree(told: dict[str, list[str]]) -> None:
    """It is said that other code made it, where it first differs, and how to renew it."""
    [_, remark] = told["older page"]

    assert remark.startswith("  page: made by other code or versions (commit 0123456789ab, here ")
    assert "its numbers agree" in remark
    assert remark.endswith("Report again to renew it")
    assert len(told["true"]) == 1


def test_that_a_record_stands_alone_is_said(told: dict[str, list[str]]) -> None:
    """It may have been sent without notebook and page."""
    assert told["alone"][0].endswith("notebook: none beside it, page: none beside it; 0 differences")

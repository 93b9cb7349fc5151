"""An executed notebook as the middle of a page: prose, folded code, outputs; nbconvert walks it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, final

import nbformat
from markupsafe import Markup
from nbconvert.exporters import TemplateExporter
from nbconvert.filters import Highlight2HTML, strip_ansi

from studylib.errors import ParameterError
from studylib.pages import images, prose, tables
from studylib.pages.arrangement import arranged
from studylib.pages.cleaning import clean_output, clean_prose, encodable, foreign
from studylib.pages.drawings import Origin
from studylib.pages.layout import TEMPLATES

if TYPE_CHECKING:
    from jinja2 import Environment
    from nbformat import NotebookNode

# what is shown of an output that comes in several forms, best first; anything else stays unseen
FORMS = ("image/svg+xml", "image/png", "image/jpeg", "text/html", "text/markdown", "text/plain")
TAGGED = {
    "parameters": "Parameters, as the notebook has them",
    "injected-parameters": "Parameters of this run",
}


LIFTED = "figure-differences"  # the cell whose figure opens the page
FORWARDED = "The figure stands at the [top of this page](#differences)."
COLOURED = {
    "k",
    "kn",
    "kc",
    "kd",
    "ow",
    "nb",
    "s",
    "s1",
    "s2",
    "sa",
    "si",
    "sd",
    "c",
    "c1",
    "cm",
    "mi",
    "mf",
    "mb",
}


@final
@dataclass(frozen=True)
class Body:
    """The notebook in HTML, in the order of a page, with its outline and the cells that failed.

    Attributes:
        differences: the figure that opens the page; empty if the notebook does not draw it.
    """

    differences: Markup
    question: Markup
    setup: Markup
    result: Markup
    data: Markup
    rest: Markup
    outline: prose.Outline
    failures: list[str] = field(default_factory=list)


def body(executed: Path, origin: Origin, further: Sequence[tuple[str, str]] = ()) -> Body:
    """Convert an executed notebook.

    Args:
        executed: its file.
        origin: the run that it shows.
        further: anchor and title of sections that the page has after the result, for its outline.

    Raises:
        ParameterError: the file cannot be read, or is no notebook.
    """
    try:
        notebook = nbformat.from_dict(encodable(nbformat.read(executed, as_version=4)))
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise ParameterError(f"{executed}: expected an executed notebook, but {error}.") from None
    outline = prose.Outline()
    exporter = _Exporter(outline, origin)
    lifted = _lifted(notebook.cells)
    cells = arranged(_as_run(notebook.cells))
    differences = exporter.figure(*lifted) if lifted else Markup()
    question, setup, result = map(exporter.html, (cells.question, cells.setup, cells.result))
    outline.sections.extend(further)
    data = exporter.html(cells.data)
    if not data:
        outline.sections.append(("facts", "Data"))
    failures = [
        cell.id
        for cell in notebook.cells
        if any(output.output_type == "error" for output in cell.get("outputs", ()))
    ]
    rest = exporter.html(cells.rest)
    return Body(differences, question, setup, result, data, rest, outline, failures)


def _as_run(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Return the cells without the notebook's own parameters, where those of the run stand for them."""
    tags = [cell.metadata.get("tags", ()) for cell in cells]
    if not any("injected-parameters" in own for own in tags):
        return cells
    return [cell for cell, own in zip(cells, tags, strict=True) if "parameters" not in own]


def _lifted(cells: Iterable[NotebookNode]) -> tuple[NotebookNode, NotebookNode] | None:
    """Take the figure that opens the page out of its cell, and say there where it is."""
    for cell in cells:
        for place, output in enumerate(cell.get("outputs", ()) if cell.get("id") == LIFTED else ()):
            if "data" in output and form(output).startswith("image/"):
                cell.outputs[place] = nbformat.v4.new_output("display_data", {"text/markdown": FORWARDED})
                return output, cell
    return None


@final
class _Exporter(TemplateExporter):
    """nbconvert with a template that escapes, and with filters that clean."""

    def __init__(self, outline: prose.Outline, origin: Origin) -> None:
        self._outline, self._origin = outline, origin
        super().__init__(  # type: ignore[no-untyped-call]
            template_file="notebook.html.j2", template_paths=[str(TEMPLATES)]
        )

    def html(self, cells: list[NotebookNode]) -> Markup:
        """Return some cells as a part of a page."""
        html, _ = self.from_notebook_node(nbformat.v4.new_notebook(cells=cells))
        return Markup(html.strip())  # noqa: S704  # our template, which escapes

    def figure(self, output: NotebookNode, cell: NotebookNode) -> Markup:
        """Return an output that is an image with what belongs below it."""
        return self._origin.drawing(output.data, form(output), cell.id, cell.source)

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        environment.autoescape = True
        environment.trim_blocks = environment.lstrip_blocks = True
        environment.filters.update(
            prose=lambda source: prose.rendered(source, self._outline),
            highlighted=highlighted,
            code_name=code_name,
            form=form,
            picture=self.figure,
            foreign=foreign,
            cleaned=lambda html, cell: tables.boxed(clean_output(html), f"Table from {code_name(cell)}"),
            strip_ansi=strip_ansi,
        )
        return environment


def highlighted(source: str) -> Markup:
    """Return Python source in colours, as classes that the style sheet knows."""
    html = Highlight2HTML(pygments_lexer="ipython3")(source)
    return clean_prose(re.sub(r'<span class="(\w*)">([^<]*)</span>', _coloured, html))


def _coloured(word: re.Match[str]) -> str:
    return word[0] if word[1] in COLOURED else word[2]


def code_name(cell: NotebookNode) -> str:
    """Return what the code of a cell is called: the words of its id."""
    for tag, name in TAGGED.items():
        if tag in cell.metadata.get("tags", ()):
            return name
    random = re.fullmatch(r"[0-9a-f]{8}", cell.id)
    return "Code" if random else f"Code: {cell.id.replace('-', ' ')}"


def form(output: NotebookNode) -> str:
    """Return the best form of an output that a page can show; empty if it has none."""
    forms = {known: output.data[known] for known in FORMS if known in output.data}
    return next(
        (one for one in forms if one not in images.KINDS or images.is_image(one, output.data[one])), ""
    )

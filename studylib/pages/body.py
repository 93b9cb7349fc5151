"""An executed notebook as the middle of a page: prose, folded code, outputs; nbconvert walks it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, final

import nbformat
from markupsafe import Markup
from nbconvert.exporters import TemplateExporter
from nbconvert.filters import Highlight2HTML, strip_ansi

from studylib.errors import ParameterError
from studylib.pages import images, prose, tables
from studylib.pages.cleaning import clean_output, clean_prose
from studylib.pages.layout import TEMPLATES

if TYPE_CHECKING:
    from jinja2 import Environment
    from nbformat import NotebookNode

# what is shown of an output that comes in several forms, best first; anything else stays unseen
FORMS = ("image/svg+xml", "image/png", "image/jpeg", "text/html", "text/markdown", "text/plain")
NO_DESCRIPTION = "A picture without a description."
TAGGED = {
    "parameters": "Parameters, as the notebook has them",
    "injected-parameters": "Parameters of this run",
}


@final
@dataclass(frozen=True)
class Body:
    """The notebook in HTML, with its outline and the cells that failed."""

    html: Markup
    outline: prose.Outline
    failures: list[str] = field(default_factory=list)


def body(executed: Path) -> Body:
    """Convert an executed notebook.

    Raises:
        ParameterError: the file cannot be read, or is no notebook.
    """
    try:
        notebook = nbformat.read(executed, as_version=4)
    except (OSError, ValueError, nbformat.ValidationError) as error:
        raise ParameterError(f"{executed}: expected an executed notebook, but {error}.") from None
    outline = prose.Outline()
    html, _ = _Exporter(outline).from_notebook_node(notebook)
    failures = [
        cell.id
        for cell in notebook.cells
        if any(output.output_type == "error" for output in cell.get("outputs", ()))
    ]
    return Body(Markup(html), outline, failures)  # noqa: S704  # our template, which escapes


@final
class _Exporter(TemplateExporter):
    """nbconvert with a template that escapes, and with filters that clean."""

    def __init__(self, outline: prose.Outline) -> None:
        self._outline = outline
        super().__init__(  # type: ignore[no-untyped-call]
            template_file="notebook.html.j2", template_paths=[str(TEMPLATES)]
        )

    def _create_environment(self) -> Environment:
        environment: Environment = super()._create_environment()  # type: ignore[no-untyped-call]
        environment.autoescape = True
        environment.trim_blocks = environment.lstrip_blocks = True
        environment.filters.update(
            prose=lambda source: prose.rendered(source, self._outline),
            highlighted=highlighted,
            code_name=code_name,
            form=form,
            picture=picture,
            cleaned=lambda html, cell: tables.boxed(clean_output(html), f"Table from {code_name(cell)}"),
            strip_ansi=strip_ansi,
        )
        return environment


def highlighted(source: str) -> Markup:
    """Return Python source in colours, as classes that the style sheet knows."""
    return clean_prose(Highlight2HTML(pygments_lexer="ipython3")(source))


def code_name(cell: NotebookNode) -> str:
    """Return what the code of a cell is called: the words of its id."""
    for tag, name in TAGGED.items():
        if tag in cell.metadata.get("tags", ()):
            return name
    random = re.fullmatch(r"[0-9a-f]{8}", cell.id)
    return "Code" if random else f"Code: {cell.id.replace('-', ' ')}"


def form(output: NotebookNode) -> str:
    """Return the best form of an output that a page can show; empty if it has none."""
    return next((known for known in FORMS if known in output.data), "")


def picture(output: NotebookNode, kind: str) -> Markup:
    """Return an image that carries its own bytes, with the words that came with it as its text."""
    words = output.data.get("text/plain", "").strip()
    said = NO_DESCRIPTION if not words or words.startswith("<") else words
    return images.figure(kind, output.data[kind], said)

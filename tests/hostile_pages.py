"""Pages in which the same texts stand wherever a word may stand: names, prose, outputs, figures, commands."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import nbformat
from imaginary import classification

from studylib import compare
from studylib.figures.differences import draw_differences
from studylib.pages import compare_page, index_page, study_page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from studylib.records import Record

Texts = tuple[str, ...]
TOGETHER = 6  # as many texts as the record has arms
new = nbformat.v4


def file_name(text: str) -> str:
    """Return a text without the halves of characters, which no file system holds."""
    return text.encode(errors="replace").decode()


def record_of(texts: Texts) -> Record:
    """Return a record whose arms have these names, and that says all of them wherever a word may stand."""
    record, everything = classification(), " ".join(texts)
    names = dict(zip(record.params["arms"], texts, strict=False))
    arms = {names.get(arm, arm): {"l2": {everything: everything}} for arm in record.params["arms"]}
    facts = dict.fromkeys(("name", "source", "licence", "about", "not good for", "sha256"), everything)
    return replace(
        record,
        study=everything,
        run=file_name(everything),
        headline=f"{everything} raised the test accuracy by 2.1 points.",
        fits=tuple(
            replace(f, arm=names.get(f.arm, f.arm), reason=everything if f.reason else "")
            for f in record.fits
        ),
        contrasts=tuple(
            replace(c, arm=names.get(c.arm, c.arm), baseline=names.get(c.baseline, c.baseline))
            for c in record.contrasts
        ),
        dataset={**record.dataset, **facts, "classes": [texts[0]] * 10},
        params={**record.params, "arms": arms},
        versions={text: text for text in texts},
    )


def cells(text: str, name: str) -> Iterator[Any]:
    """Yield cells that say ``text`` wherever a notebook can, then a heading and a table that say nothing."""
    yield new.new_markdown_cell(f"{text}\n\n## {text}\n\n- {text}\n\n> {text}", id=f"{name}-prose")
    yield new.new_markdown_cell(f"| a |\n|---|\n| {text} |", id=f"{name}-table")
    yield new.new_markdown_cell(f"<div>{text}</div>\n\n$${text}$$ and ${text}$", id=f"{name}-formula")
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"><title>x</title>{text}</svg>'
    forms = {"text/html": f"<p>{text}</p>", "text/plain": text}
    outputs = [
        *(
            shown({kind: text})
            for kind in ("text/markdown", "text/latex", "text/plain", "application/javascript")
        ),
        shown(forms),
        shown({"image/svg+xml": svg, "text/plain": text, "text/csv": f"{text},{text}\n"}),
        shown({"image/png": text, "text/plain": text}),
        new.new_output("stream", name="stdout", text=text),
        new.new_output("error", ename=text, evalue=text, traceback=[text]),
        shown({"text/html": "<table><tr><td>survives</td></tr></table>"}),
    ]
    yield new.new_code_cell(f"1  # {text}", id=f"{name}-outputs", outputs=outputs)
    yield new.new_markdown_cell("### Survives", id=f"{name}-heading")


def notebook_of(texts: Texts) -> Any:
    """Return an executed notebook with a figure of the arms, and with cells for each text."""
    drawn = shown(draw_differences(record_of(texts))._repr_mimebundle_())
    return new.new_notebook(
        cells=[
            new.new_markdown_cell(f"# {texts[0]}", id="title"),
            new.new_markdown_cell("## Question", id="question"),
            *(cell for k, text in enumerate(texts) for cell in cells(text, f"text-{k}")),
            new.new_markdown_cell("## Result", id="result"),
            new.new_code_cell("draw_differences(record)", id="figure-differences", outputs=[drawn]),
            new.new_markdown_cell("## What would change our mind", id="mind"),
        ]
    )


def shown(data: dict[str, str]) -> Any:
    """Return an output in some forms."""
    return new.new_output("display_data", data)


def written(folder: Path, texts: Texts) -> dict[str, Path]:
    """Write the pages in which these texts stand everywhere; return them by kind."""
    executed = folder / "run.ipynb"
    # as JSON escapes it: half a character is not to be had in UTF-8
    executed.write_text(json.dumps(notebook_of(texts)), encoding="utf-8")
    record, everything = record_of(texts), " ".join(texts)
    after = replace(record, run="later", versions=dict.fromkeys(texts, "9"))
    made = {
        "study": study_page(executed, record, command=everything, commit=everything),
        "index": index_page(
            [(record, f"{file_name(everything)}/x.html")], command=everything, commit=everything
        ),
        "compare": compare_page(compare.changes(record, after), command=everything, commit=everything),
    }
    for kind, page in made.items():
        (folder / f"{kind}.html").write_bytes(page)
    return {kind: folder / f"{kind}.html" for kind in made}

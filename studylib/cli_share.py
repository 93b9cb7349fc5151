"""Commands that hand reports on: ``studylib publish | pdf | share``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studylib.errors import ParameterError

Out = Annotated[Path, typer.Option(help="folder of the records, notebooks and pages")]
Pages = Annotated[list[Path] | None, typer.Argument(help="which; all under --out if none is named")]
File = Annotated[Path | None, typer.Option(help="zip; else studylib-reports.zip among the reports")]


def publish(*, out: Out = Path("reports")) -> None:
    """Put the default pages and records into reports/published, to be committed: 2 MB at most."""
    from studylib import sharing

    typer.echo("\n".join(sharing.publish(out)))


def pdf(pages: Pages = None, *, out: Out = Path("reports")) -> None:
    """Print pages to PDFs beside them, with Chromium (CHROMIUM=/path names another browser)."""
    from studylib import browser, sharing

    chosen = pages or sharing.pages(out)
    if not chosen:
        raise ParameterError(f"{out}: no page to print. Make some with: make report")
    browser.program()  # or say at once that there is none
    for page in chosen:
        typer.echo(browser.print_page(page))


def share(*, out: Out = Path("reports"), file: File = None) -> None:
    """Pack pages, records and notebooks into one zip, with a README for whoever receives it."""
    from studylib import sharing

    typer.echo(sharing.share(out, file))


def add_to(app: typer.Typer) -> None:
    """Give an application these commands."""
    for command in (publish, pdf, share):
        app.command()(command)

"""Commands about data: ``studylib data list | fetch | where``."""

from __future__ import annotations

from typing import Annotated

import typer

from studylib import cli_check

app = typer.Typer(
    help="See which data there are, fetch them, and look at your own.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

app.command("check")(cli_check.check)

Names = Annotated[list[str], typer.Argument(metavar="NAME…", help="which, or all")]
Some = Annotated[list[str] | None, typer.Argument(metavar="[NAME…]", help="which; all if none is named")]


@app.command("list")
def data_list(
    *, as_json: Annotated[bool, typer.Option("--json", help="everything, sizes in bytes")] = False
) -> None:
    """List name, task, size, whether it is here, and licence of all data."""
    from studylib import supplies

    found = supplies.survey()
    typer.echo(supplies.as_json(found) if as_json else "\n".join(supplies.as_lines(found)))


@app.command("fetch")
def data_fetch(names: Names) -> None:
    """Fetch data, and check by their hash what is there already."""
    from studylib import supplies

    supplies.fetch(names, typer.echo)


@app.command("where")
def data_where(names: Some = None) -> None:
    """Print where each file of some data is, or will be."""
    from studylib import supplies

    typer.echo("\n".join(supplies.places(names or [])))

"""Commands that look after the store: ``studylib store list | size | times | prune``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Look after the store of fits.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def store_list(
    *, as_json: Annotated[bool, typer.Option("--json", help="everything, sizes in bytes")] = False
) -> None:
    """List the fits, what is damaged or left over, and how attempts ended."""
    from studylib import housekeeping, inventory

    holdings = housekeeping.survey()
    typer.echo(inventory.as_json(holdings) if as_json else "\n".join(inventory.as_lines(holdings)))


@app.command("size")
def store_size() -> None:
    """Say how large the store is, how much of it records need, and how much prune would free."""
    from studylib import housekeeping, inventory

    typer.echo("\n".join(inventory.sizes(housekeeping.survey())))


@app.command("times")
def store_times(records: Annotated[list[Path], typer.Argument(help="reports/<study>/<run>.json")]) -> None:
    """Say how many seconds the fits of each arm took, and took to their lowest validation loss."""
    from studylib.compare.durations import durations
    from studylib.records import Record
    from studylib.store import Store

    for path in records:
        typer.echo(f"{path}\n{durations(Record.load(path), Store()).round(3).to_string(index=False)}")


@app.command("prune")
def store_prune(
    *, dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would go, remove nothing")] = False
) -> None:
    """Remove what no record needs: of reports/ here and in the project, and of every folder reported to."""
    from studylib import housekeeping

    freed = 0
    for waste in housekeeping.prunable() if dry_run else housekeeping.prune():
        typer.echo(f"{'would remove' if dry_run else 'removed'} {waste.line}")
        freed += waste.bytes
    typer.echo(f"{'would free' if dry_run else 'freed'} {freed} bytes")

"""``studylib data check``: a look at data before anything is run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studylib.errors import ParameterError, StudyError, unknown

if TYPE_CHECKING:
    from studylib.datasets.base import Dataset


def check(
    what: Annotated[str, typer.Argument(help="a dataset, or the study whose run it is for")],
    *,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="dataset.path=sales.csv")
    ] = None,
    params: Annotated[Path | None, typer.Option(help="YAML of the study's run")] = None,
) -> None:
    """Look at data: rows, kinds, gaps, balance, duplicates, columns that may hold the answer.

    It takes what `studylib run` takes; a dataset may be named instead of the study.
    """
    from studylib.inspection import inspected

    found = inspected(_dataset(what, params, settings or []))
    for line in found.lines():
        typer.echo(line)
    if found.unusable:
        raise StudyError("these data cannot be used as they are; see above.")


def _dataset(what: str, params: Path | None, settings: list[str]) -> Dataset:
    from studylib import datasets, runs, sources
    from studylib.arms import part

    if what in datasets.CATALOGUE:
        own = [one if one.startswith("dataset.") else f"dataset.{one}" for one in settings]
        study, settings = sources.studies()[0], [f"dataset.name={what}", *own]
    elif what in sources.studies():
        study = what
    elif Path(what).exists():
        kind = "parquet" if what.endswith(".parquet") else "csv"
        raise ParameterError(
            f"data check {what}: expected a dataset or a study. If it is a table of your own, type"
            f" studylib data check {kind} --set path={what} --set target=<column>"
        )
    else:
        raise unknown("dataset or study", what, [*datasets.CATALOGUE, *sources.studies()])
    return part(datasets.CATALOGUE, runs.dataset_of(study, params, settings), "dataset")

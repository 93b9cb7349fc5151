"""Commands: ``studylib report | run | compare | verify | list | data | store | publish | pdf | share``.

Exit 0: done. 1: something failed, and it is named. 2: wrong parameters or usage, nothing was started.
130: interrupted.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer

from studylib import cli_data, cli_share, cli_store
from studylib.errors import ParameterError, StudyError

app = typer.Typer(
    help="Does a regularization technique help, by how much, and how sure are we?",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help: rich would cost a third of the time that it takes
    pretty_exceptions_enable=False,
)
app.add_typer(cli_store.app, name="store")
app.add_typer(cli_data.app, name="data")
cli_share.add_to(app)

Out = Annotated[Path, typer.Option(help="folder of the records, notebooks and pages")]
Workers = Annotated[int | None, typer.Option(min=1, help="processes; as many as cores if not given")]
Device = Annotated[
    Literal["auto", "cpu", "cuda"] | None, typer.Option(help="where to train; else as the study says")
]
Timeout = Annotated[float | None, typer.Option(help="seconds that one fit may take")]
Memory = Annotated[float | None, typer.Option(help="GB that one worker may hold")]
Cluster = Annotated[
    str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers train, tcp://host:8786")
]
Suite = Annotated[
    str | None, typer.Option(help="params/<study>/<SUITE>.yaml and <SUITE>-….yaml: benchmark, quick, …")
]
INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line; tell errors in words, and exit with their number."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be told to end is to be interrupted
    try:
        app()
    except ParameterError as error:
        _leave(error, 2)
    except StudyError as error:
        _leave(error, 1)
    except OSError as error:  # a full disk, a folder that went away: what was kept before is still there
        _leave(f"{error.filename or 'a file'}: {error.strerror or error}.", 1)
    except SystemExit as end:
        if end.code == INTERRUPTED:
            _leave("interrupted; what is finished is kept.", INTERRUPTED)
        raise
    sys.exit(0)


def _leave(message: object, code: int) -> NoReturn:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not change the number
    typer.echo(f"studylib: {message}", err=True)
    sys.exit(code)


@app.command()
def report(
    studies: Annotated[list[str] | None, typer.Argument(help="which; all if none is named")] = None,
    *,
    run: Annotated[str | None, typer.Option(help="params/<study>/<RUN>.yaml of each study")] = None,
    suite: Suite = None,
    out: Out = Path("reports"),
    workers: Workers = None,
    device: Device = None,
    timeout: Timeout = None,
    memory: Memory = None,
    cluster: Cluster = None,
) -> None:
    """Run the case studies and write reports/index.html and a page per study; for all, a catalogue too."""
    from studylib import overviews, publishing, runs, sources

    if run and suite:
        raise ParameterError(f"--run {run} --suite {suite}: expected one of them.")
    names = list(dict.fromkeys(studies or sources.studies()))
    if run:
        wanted = [runs.from_file(study, run, device) for study in names]
    else:
        wanted = runs.of_suite(suite or "default", studies or (), device)
    further = () if studies else (publishing.catalogue, overviews.benchmarks)
    _make(wanted, out, _pools(workers, timeout, memory, cluster), *further)


@app.command("run")
def run_command(
    study: Annotated[str, typer.Argument(help="name of a notebook")],
    *,
    params: Annotated[Path | None, typer.Option(help="YAML of what differs from the notebook's cell")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="training.epochs=5")
    ] = None,
    arms: Annotated[
        list[str] | None, typer.Option("--arm", metavar="NAME={…}", help="add or replace an arm")
    ] = None,
    name: Annotated[str | None, typer.Option(help="name of the run; else that of the file")] = None,
    out: Out = Path("reports"),
    workers: Workers = None,
    timeout: Timeout = None,
    memory: Memory = None,
    cluster: Cluster = None,
) -> None:
    """Run one study with parameters of your own."""
    from studylib import runs

    wanted = [runs.from_command_line(study, params, settings or [], arms or [], name)]
    _make(wanted, out, _pools(workers, timeout, memory, cluster))


@app.command()
def compare(
    records: Annotated[list[Path], typer.Argument(help="two or more, reports/<study>/<run>.json")],
    *,
    out: Annotated[Path | None, typer.Option(help="page; else compare-<before>-<after>.html")] = None,
) -> None:
    """Print and write what changed from the first run to each other."""
    from studylib import reports

    before, *others = records
    if not others:
        raise ParameterError(f"compare: expected two records or more, got {before} alone.")
    if out and others[1:]:
        raise ParameterError(f"--out: expected two records for the one page {out}, got {len(records)}.")
    for after in others:
        lines, page = reports.compared(before, after, out)
        typer.echo("\n".join([*lines, "", str(page)]))


@app.command()
def verify(
    records: Annotated[list[Path] | None, typer.Argument(help="all under reports/ if none is named")] = None,
    *,
    sample: Annotated[int, typer.Option(min=1, help="fits of each record to compute again")] = 5,
    every: Annotated[bool, typer.Option("--all", help="compute all of them again")] = False,
    workers: Workers = None,
) -> None:
    """Compute fits of a record again, make its notebook and page again, and compare every number."""
    from studylib import verification

    paths = records or sorted(Path("reports").glob("*/*.json"))
    differences = verification.verified(paths, sys.maxsize if every else sample, workers, typer.echo)
    if differences:
        raise StudyError("\n".join(["what differs:", *differences]))


@app.command("list")
def list_command(
    what: Annotated[
        Literal["studies", "runs", "regularizers", "datasets", "models", "metrics"], typer.Argument()
    ] = "studies",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="name, kind, summary and settings of each")] = False,
) -> None:
    """List what there is; in an arm, a setting that is a list or a range {low, high} is tuned."""
    from studylib import listing

    typer.echo(listing.as_json(what) if as_json else listing.as_text(what))


def _pools(
    workers: int | None, timeout: float | None, memory: float | None, cluster: str | None
) -> tuple[Any, Any]:
    """Return who trains and who draws: both processes of this machine, unless a cluster trains."""
    from functools import partial

    from studylib import pool, publishing

    for option, limit in (("--timeout", timeout), ("--memory", memory)):
        if limit is not None and not limit > 0:
            raise ParameterError(f"{option}: expected a number above 0, got {limit:g}.")
    everything = (*pool.TRAINING, *publishing.DRAWING)  # one server serves both, and imports once
    drawers = partial(pool.local, workers, preload=everything)
    if cluster:
        from studylib.cluster import connected

        if memory:
            raise ParameterError("--memory: workers of a cluster have their own: dask worker --memory-limit.")
        return partial(connected, cluster, timeout), drawers
    limits = pool.Limits(timeout, memory and memory * 1e9)
    return partial(pool.local, workers, limits, everything), drawers


def _make(
    wanted: list[Any], out: Path, pools: tuple[Any, Any], *further: Callable[[Path, Any], None]
) -> None:
    from studylib import overviews, reports, runs

    for line in runs.budgets(wanted):
        typer.echo(line)
    runs.fetch(wanted, typer.echo)
    done = reports.make(wanted, out, *pools, tell=typer.echo)
    for write in further:
        write(out, pools[1])
    over = overviews.write(out, pools[1])
    for line in (*reports.summary(done, out), *map(str, over)):
        typer.echo(line)
    failures = reports.failures(done)
    if failures:
        raise StudyError("\n".join(failures))

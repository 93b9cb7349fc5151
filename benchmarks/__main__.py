"""``make bench``, or ``python -m benchmarks [NAME…]``: print each figure with the spread that it had.

Figures that were asked for are kept in ``measured.json``, the newest of each row, and shown on the page of
benchmarks, which stands beside the other reports. What is interrupted keeps what was measured before.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from benchmarks import __path__ as folder
from benchmarks._asked import ASKED
from studylib import locks, overviews, places, pool, publishing, speeds
from studylib.errors import did_you_mean
from studylib.speeds import Figure, Speeds


def main() -> int:
    """Run the benchmarks named on the command line, or all of them; return the exit status."""
    known = sorted(module.name for module in iter_modules(folder) if not module.name.startswith("_"))
    wanted = sys.argv[1:] or known
    for name in wanted:
        if name not in known:
            print(f"unknown benchmark {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}.")
            return 2
    for name in wanted:
        benchmark = import_module(f"benchmarks.{name}")
        print(f"\n{name}: {(benchmark.__doc__ or '').splitlines()[0]}")
        keep(benchmark.main() or (), speeds.kept())
    reports = places.project() / "reports"
    overviews.benchmarks(reports, partial(pool.local, 1))
    print(f"\n{reports / publishing.BENCHMARKS}")
    return 0


def keep(figures: Sequence[Figure], path: Path) -> None:
    """Put figures into their rows of the table at ``path``, beside those of others who measure meanwhile.

    Raises:
        ParameterError: nobody asked for such a figure, or the file is no such table.
    """
    with locks.awaited(path):
        known = Speeds.load(path) if path.is_file() else Speeds(())
        known.asking(ASKED).with_figures(figures).save(path)


if __name__ == "__main__":
    sys.exit(main())

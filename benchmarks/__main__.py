"""``make bench``, or ``python -m benchmarks [NAME…]``: print each figure with the spread that it had."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules

from benchmarks import __path__ as folder
from studylib.errors import did_you_mean


def main() -> int:
    """Run the benchmarks named on the command line, or all of them; return the exit status."""
    known = sorted(module.name for module in iter_modules(folder) if not module.name.startswith("_"))
    for name in sys.argv[1:] or known:
        if name not in known:
            print(f"unknown benchmark {name!r}.{did_you_mean(name, known)} Known: {', '.join(known)}.")
            return 2
        benchmark = import_module(f"benchmarks.{name}")
        print(f"\n{name}: {(benchmark.__doc__ or '').splitlines()[0]}")
        benchmark.main()
    return 0


if __name__ == "__main__":
    sys.exit(main())

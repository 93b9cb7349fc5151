"""What the warm server forks: made to look like a process that has just started, then given to the shell."""

from __future__ import annotations

import atexit
import gc
import json
import os
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from typing import NoReturn, final

from studylib.notebooks.warm import INLINE

# read when the interpreter or a library starts: where one differs, a forked process is not what was asked for
EARLY = (
    *("PYTHON", "LD_", "DYLD_", "LANG", "LC_", "OMP_", "MKL_", "OPENBLAS_", "NUMEXPR_", "MPLCONFIG"),
    *("MATPLOTLIB", "TORCH_", "PYTORCH_", "KMP_", "GOMP_", "GLIBC_", "MALLOC_"),
)
OF_LIBRARIES = {"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"}  # set by scikit-learn, as it is imported
COLUMNS = 20  # of a table that pandas shows as text, when it is imported in a notebook


@final
@dataclass(frozen=True)
class Child:
    """One process that runs the cells of a notebook, as the server is told to fork it.

    Attributes:
        environment: its whole environment.
        directory: where it runs.
        arguments: its ``sys.argv``.
        mark: what it writes into its printed text where a message belongs.
    """

    environment: dict[str, str]
    directory: str
    arguments: tuple[str, ...]
    mark: bytes

    def _bootstrap(self, parent_sentinel: int) -> NoReturn:
        """Run; the server calls this in the fork, as it would the method of a multiprocessing process."""
        from studylib.notebooks.keeper import keep

        os.close(parent_sentinel)
        asked, told, out, err, control = forkserver.get_inherited_fds() or ()  # type: ignore[misc]  # these five
        try:
            keep(lambda: self._run(asked, told, (out, err)), control)
        finally:
            os._exit(1)

    def _run(self, asked: int, told: int, texts: tuple[int, ...]) -> None:
        wire = Connection(told, readable=False)
        if self._late():
            wire.send_bytes(json.dumps({"kind": "late", "content": {}}).encode())
            return
        try:
            self._pretend_to_start()
            from studylib.notebooks.shell import serve

            serve(Connection(asked, writable=False), wire, texts, self.mark)
            atexit._run_exitfuncs()  # noqa: SLF001  a kernel runs them; no other way to, and then end at once
        except BaseException:  # noqa: BLE001  whatever it is, it is told, and ends this process alone
            os.write(texts[1], traceback.format_exc().encode())
            os._exit(1)

    def _late(self) -> bool:
        """Return whether what was asked for is decided when an interpreter starts, and otherwise here."""
        early = [
            {
                key: own
                for key, own in environment.items()
                if key.startswith(EARLY) and key not in OF_LIBRARIES
            }
            for environment in (self.environment, os.environ)
        ]
        return early[0] != early[1] or bool(sys.flags.hash_randomization)

    def _pretend_to_start(self) -> None:
        gc.freeze()  # what the server imported is not garbage, and is not to be looked through for some
        os.environ.clear()
        os.environ.update(self.environment)
        os.environ["MPLBACKEND"] = os.environ.get("MPLBACKEND") or INLINE
        time.tzset()
        os.chdir(self.directory)
        sys.argv[:] = self.arguments
        forkserver._forkserver.__init__()  # type: ignore[misc]  # noqa: SLF001  its own
        if "matplotlib" in sys.modules:
            sys.modules["matplotlib"].rcParams["backend"] = os.environ["MPLBACKEND"]
        if "pandas" in sys.modules:  # it chose this for a terminal, as the server has no shell
            sys.modules["pandas"].set_option("display.max_columns", COLUMNS)
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()  # anew: two forks would draw the same

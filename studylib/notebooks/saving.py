"""The file of a run as it goes on: never far behind, and never most of the work."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from papermill.engines import NotebookExecutionManager

REST = 9  # times as long as it took to write the file, nothing is written


@final
class Saving:
    """Lets papermill, within a ``with`` statement, write the file in a tenth of the time at most.

    By itself it writes the whole file before and after every cell: the time grows with the square of their
    number. What is put off here is owed, and written when it is due or, by papermill, when all ends.
    """

    def __init__(self, nb_man: NotebookExecutionManager) -> None:
        self._man, self._write = nb_man, nb_man.save
        self._owed, self._last, self._next = False, monotonic(), 0.0

    def __enter__(self) -> None:
        self._man.save = self._ask

    def __exit__(self, *_: object) -> None:
        del self._man.save

    def due(self) -> bool:
        """Return whether it is time to write something that is owed, or that a long cell has shown."""
        now, often = monotonic(), self._man.autosave_cell_every
        return now >= self._next and (self._owed or 0 < often <= now - self._last)

    def write(self) -> None:
        """Write the file."""
        begun = monotonic()
        self._write()
        self._owed, self._last = False, monotonic()
        self._next = self._last + REST * (self._last - begun)

    def _ask(self) -> None:
        self._owed = True
        if self.due():
            self.write()

"""Text that a process prints into a pipe, with marks where its messages belong."""

from __future__ import annotations

import codecs
import os
from typing import final

CHUNK = 1 << 16  # bytes, what a pipe holds


@final
class Text:
    """The reading end of one such pipe.

    Attributes:
        name: stdout or stderr.
        open: whether more may come.
    """

    def __init__(self, name: str, descriptor: int, mark: bytes) -> None:
        self.name, self.open = name, True
        self._descriptor, self._mark = descriptor, mark
        self._left = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def fileno(self) -> int:
        """Return what can be waited for."""
        return self._descriptor

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._descriptor)

    def read(self) -> str:
        """Return what was printed since, up to the next mark; waits if there is nothing."""
        self._receive()
        end = self._left.find(self._mark)
        if end < 0:
            start = self._left.rfind(self._mark[:1], max(0, len(self._left) - len(self._mark)))
            end = start if start >= 0 and self._mark.startswith(self._left[start:]) else len(self._left)
        return self._taken(end)

    def up_to_mark(self) -> str:
        """Return what was printed before the next mark, which has been written already."""
        while self._mark not in self._left and self.open:
            self._receive()
        text = self._taken(max(self._left.find(self._mark), 0))
        self._left = self._left[len(self._mark) :]
        return text

    def rest(self) -> str:
        """Return all that is there, without waiting for more."""
        os.set_blocking(self._descriptor, False)
        while self.open:
            self._receive()
        self._left = self._left.replace(self._mark, b"")
        return self._taken(len(self._left))

    def _receive(self) -> None:
        try:
            chunk = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            chunk = b""
        self.open = bool(chunk)
        self._left += chunk

    def _taken(self, end: int) -> str:
        taken, self._left = self._left[:end], self._left[end:]
        return self._decoder.decode(taken)


def as_seen(text: str) -> str:
    """Return ``text`` with each line as a terminal leaves it: what follows a carriage return replaces it."""
    if "\r" not in text:
        return text
    return "\n".join(line[line.rfind("\r", 0, max(0, len(line) - 1)) + 1 :] for line in text.split("\n"))

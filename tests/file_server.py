"""A real server of one file, which breaks off, ignores ranges, or sends something else when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep

from studylib.downloads import File

BODY = bytes(range(256)) * 1200  # 300 kB, the same neither in the middle nor shifted
PATH = "small/file.bin"


@dataclass
class Manners:
    """How the server answers, and what it was asked.

    Attributes:
        body: what it sends; ``status``: what it says first, taken one by one, then 200.
        cut: after how many bytes each answer breaks off, one by one; then none does.
        ranges: whether it begins in the middle when it is asked to.
        pause: seconds before each piece of 10 kB.
        asked: the ranges that it was asked for, "" for the whole.
        sent: bytes that it has sent.
    """

    body: bytes = BODY
    status: list[int] = field(default_factory=list)
    cut: list[int] = field(default_factory=list)
    ranges: bool = True
    pause: float = 0.0
    asked: list[str] = field(default_factory=list)
    sent: int = 0


class Handler(BaseHTTPRequestHandler):
    """Answers as its manners say."""

    manners: Manners

    def do_GET(self) -> None:
        """Send the file, or the part of it that is asked for."""
        manners, asked = self.manners, self.headers.get("Range", "")
        manners.asked.append(asked)
        if manners.status and (status := manners.status.pop(0)) != 200:
            self.send_error(status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and manners.ranges else 0
        if start >= len(manners.body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(manners.body) - start))
        if start:
            end = len(manners.body)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        self.end_headers()
        self._send(manners.body[start : start + manners.cut.pop(0)] if manners.cut else manners.body[start:])

    def _send(self, body: bytes) -> None:
        for place in range(0, len(body), 10_000):
            sleep(self.manners.pause)
            piece = body[place : place + 10_000]
            try:
                self.wfile.write(piece)
            except OSError:  # who asked has gone
                return
            self.manners.sent += len(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of the base
        """Say nothing."""


@contextmanager
def serving(manners: Manners) -> Iterator[str]:
    """Serve, and give the address of the file."""
    handler = type("Mannered", (Handler,), {"manners": manners})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/{PATH}"
        finally:
            server.shutdown()
            thread.join()


def file(url: str = "http://127.0.0.1:9/nobody", body: bytes = BODY, size: int | None = None) -> File:
    """Return the file with the content ``body``; port 9 is that of "discard", where nobody listens."""
    return File(PATH, url, sha256(body).hexdigest(), len(body) if size is None else size)

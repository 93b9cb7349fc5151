"""Chromium, where it is installed: pages on paper and as pictures. Nothing else of this project needs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from studylib import places, processes
from studylib.errors import ParameterError, StudyError
from studylib.records import write_whole

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
VARIABLE = "CHROMIUM"
FLAGS = (
    *("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"),
    *("--disable-component-update", "--disable-extensions", "--disable-quic", "--hide-scrollbars"),
    "--host-resolver-rules=MAP * ~NOTFOUND",  # a page asks for nothing, and here nothing would answer
)
LIMIT = 120  # seconds for one page, which takes three
LAST_LINES = 4  # of what the browser says when it fails


def program() -> str:
    """Return the path of the browser: the one that ``CHROMIUM`` names, else the first that is installed.

    Raises:
        ParameterError: there is none, or none at that path.
    """
    named = os.environ.get(VARIABLE, "")
    found = [path for name in ([named] if named else NAMES) if (path := shutil.which(name))]
    if found:
        return found[0]
    if named:
        raise ParameterError(f"{VARIABLE}={named}: expected a program that can be run, and there is none.")
    raise ParameterError(
        f"no browser found as {', '.join(NAMES)}. Install one (on Debian and Ubuntu: apt install chromium),"
        f" or name one that is elsewhere: {VARIABLE}=/path/to/chromium"
    )


def print_page(page: Path) -> Path:
    """Print a page to a PDF beside it; return its path.

    Raises:
        ParameterError: no such page, no browser, or a folder that cannot be written to.
        StudyError: the browser failed: what it said.
    """
    pdf = page.with_suffix(".pdf")
    _made(page, pdf, "print-to-pdf", ["--no-pdf-header-footer"])
    return pdf


def photograph(page: Path, picture: Path, width: int, height: int) -> None:
    """Take a picture, as PNG, of the top of a page in a window of that size, in CSS pixels.

    Raises:
        ParameterError: no such page, no browser, or a folder that cannot be written to.
        StudyError: the browser failed: what it said.
    """
    _made(page, picture, "screenshot", [f"--window-size={width},{height}"])


def _made(page: Path, product: Path, what: str, options: Sequence[str]) -> None:
    """Have the browser make one thing of a page; it is written whole or not at all."""
    if not page.is_file():
        raise ParameterError(f"{page}: there is no such page. Make the pages with: make report")
    places.refuse_unwritable(product.parent, "Make it writable.")
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        draft = Path(folder, f"made{product.suffix}")
        own = [f"--user-data-dir={folder}/profile", f"--{what}={draft}", *options, *_as_root()]
        said = _run([program(), *FLAGS, *own, page.absolute().as_uri()])
        if not draft.is_file():
            raise StudyError("\n  ".join([f"{page}: the browser made nothing of it.", *said[-LAST_LINES:]]))
        write_whole(product, draft.read_bytes())


def _run(command: Sequence[str]) -> list[str]:
    """Run the browser to its end; return what it said."""
    quiet, own_group = subprocess.DEVNULL, True  # it starts a dozen processes, which end with it
    with subprocess.Popen(
        command, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE, text=True, start_new_session=own_group
    ) as browser:
        try:
            return browser.communicate(timeout=LIMIT)[1].splitlines()
        except subprocess.TimeoutExpired:
            return [f"It was ended after {LIMIT} s."]
        finally:
            processes.kill(browser.pid)


def _as_root() -> list[str]:
    """Return what the superuser has to say, in a container: the pages are ours, and need no sandbox."""
    return ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []

"""Where things are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

from studylib.errors import ParameterError

RECORD = "STUDYLIB_RECORD"  # names its record to a notebook that is executed to show it


def project() -> Path:
    """Return the folder that holds the package and ``pyproject.toml``; without one, the working folder."""
    above = Path(__file__).resolve().parents[1]
    return above if (above / "pyproject.toml").is_file() else Path.cwd()


def store_folder() -> Path:
    """Return the folder of what can be computed again: ``STUDYLIB_STORE``, or the project's ``.studylib``."""
    named = os.environ.get("STUDYLIB_STORE", "")
    return Path(named).expanduser().resolve() if named else project() / ".studylib"


def refuse_unwritable(folder: Path, advice: str) -> None:
    """Make ``folder``, or say before any work is done that nothing can be kept there.

    Raises:
        ParameterError: the folder cannot be made or written to; ``advice`` says what to do.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"{folder}: expected a folder to write to: {error.strerror}. {advice}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ParameterError(f"{folder}: expected a folder to write to: Permission denied. {advice}")

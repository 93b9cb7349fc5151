"""Where things are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def project() -> Path:
    """Return the folder that holds the package and ``pyproject.toml``; without one, the working folder."""
    above = Path(__file__).resolve().parents[1]
    return above if (above / "pyproject.toml").is_file() else Path.cwd()


def store_folder() -> Path:
    """Return the folder of what can be computed again: ``STUDYLIB_STORE``, or the project's ``.studylib``."""
    named = os.environ.get("STUDYLIB_STORE", "")
    return Path(named).expanduser().resolve() if named else project() / ".studylib"

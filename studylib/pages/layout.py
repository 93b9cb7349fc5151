"""What all pages share: the frame, the style, and the policy that keeps them off the network.

Templates escape everything; only what this package has made or cleaned itself is ``Markup``.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from studylib.pages.verdicts import MEANINGS, chip

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, **facts: Any) -> bytes:
    """Fill the template of a page, with the shared style and its policy."""
    filled = _templates().get_template(template).render(style=Markup(_style()), policy=_policy(), **facts)  # noqa: S704  # our own file
    return filled.encode() + b"\n"


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(chip=chip, meanings=MEANINGS)
    return templates


@cache
def _style() -> str:
    return (TEMPLATES / "style.css").read_text(encoding="utf-8").strip()


def _policy() -> str:
    """Return the Content-Security-Policy: this style sheet and images in the page itself, nothing else."""
    digest = b64encode(sha256(_style().encode()).digest()).decode()
    rules = ("default-src 'none'", "img-src data:", f"style-src 'sha256-{digest}'")
    return "; ".join((*rules, "base-uri 'none'", "form-action 'none'"))

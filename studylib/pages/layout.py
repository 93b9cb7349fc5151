"""What all pages share: the frame, the style, and the policy that keeps them off the network.

Templates escape everything; only what this package has made or cleaned itself is ``Markup``.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from studylib.pages.cleaning import visible
from studylib.pages.verdicts import MEANINGS, chip

TEMPLATES = Path(__file__).parent / "templates"
OWN = ("style.css", "copy.js")  # what stands in every page, allowed by its hash


def page(template: str, **facts: Any) -> bytes:
    """Fill the template of a page, with the shared style and its policy."""
    own = {"style": Markup(_own("style.css")), "script": Markup(_own("copy.js"))}  # noqa: S704  # our own files
    return visible(_templates().get_template(template).render(own | facts, policy=_policy())).encode() + b"\n"


def part(template: str, **facts: Any) -> Markup:
    """Fill the template of a part of a page."""
    return Markup(_templates().get_template(template).render(facts))  # noqa: S704  # our template, which escapes


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
def _own(name: str) -> str:
    text = (TEMPLATES / name).read_text(encoding="utf-8").strip()
    # what is written for those who read the file
    return re.sub(r"(?<=[{};,>])\n\s*|\n\s*(?=\})", "", re.sub(r"\s*/\*.*?\*/", "", text, flags=re.DOTALL))


def _policy() -> str:
    """Return the Content-Security-Policy: this style, this script, images in the page, and nothing else."""
    style, script = (b64encode(sha256(_own(name).encode()).digest()).decode() for name in OWN)
    rules = ("default-src 'none'", "img-src data:", f"style-src 'sha256-{style}'")
    return "; ".join((*rules, f"script-src 'sha256-{script}'", "base-uri 'none'", "form-action 'none'"))

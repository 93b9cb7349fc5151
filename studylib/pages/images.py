"""Images that carry their own bytes, so that a page needs no second file."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from markupsafe import Markup

from studylib.pages.cleaning import visible

PLAIN = "!$()*+,-./:;=?@_~"  # signs that a URL in an attribute may hold as they are


KINDS = ("image/svg+xml", "image/png", "image/jpeg")
FIRST = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}  # bytes of every file of that kind


def is_image(kind: str, data: str) -> bool:
    """Return whether some data are what they say: a browser shows a broken image for anything else."""
    try:
        if kind == "image/svg+xml":
            return ET.fromstring(visible(data)).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314  # only looked at
        return b64decode("".join(data.split()), validate=True).startswith(FIRST[kind])
    except (ET.ParseError, ValueError):
        return False


def figure(kind: str, data: str, words: str, below: str | Markup = "") -> Markup:
    """Return an image with its text.

    Args:
        kind: its media type.
        data: an ``<svg>`` element, or other images in base64.
        words: what it shows, for those who do not see it.
        below: its caption.
    """
    size: dict[str, Any] = {}
    address = f"data:{kind};base64,{''.join(data.split())}"
    if kind == "image/svg+xml":
        data = visible(data)
        size = _size(data)
        encoded, quoted = b64encode(data.encode()).decode(), quote(data, safe=PLAIN)
        address = min(f"data:{kind};base64,{encoded}", f"data:{kind},{quoted}", key=len)
    attributes = {"src": address} | size | {"alt": words}
    parts = Markup(" ").join(Markup('{}="{}"').format(name, value) for name, value in attributes.items())
    return Markup("<figure><img {}>{}</figure>").format(parts, below)


def _size(svg: str) -> dict[str, int]:
    """Return the size of a drawing in pixels: the page keeps its place before it is decoded."""
    found = re.match(r'<svg[^>]*? width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    return (
        {"width": round(float(found[1]) * 4 / 3), "height": round(float(found[2]) * 4 / 3)} if found else {}
    )

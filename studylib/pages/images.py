"""Images that carry their own bytes, so that a page needs no second file."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

from markupsafe import Markup


def figure(kind: str, data: str, words: str, below: str | Markup = "") -> Markup:
    """Return an image with its text.

    Args:
        kind: its media type.
        data: an ``<svg>`` element, or other images in base64.
        words: what it shows, for those who do not see it.
        below: its caption.
    """
    size: dict[str, Any] = {}
    if kind == "image/svg+xml":
        size = _size(data)
        data = b64encode(data.encode()).decode()
    attributes = {"src": f"data:{kind};base64,{''.join(data.split())}"} | size | {"alt": words}
    parts = Markup(" ").join(Markup('{}="{}"').format(name, value) for name, value in attributes.items())
    return Markup("<figure><img {}>{}</figure>").format(parts, below)


def _size(svg: str) -> dict[str, int]:
    """Return the size of a drawing in pixels: the page keeps its place before it is decoded."""
    found = re.match(r'<svg[^>]*? width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    return (
        {"width": round(float(found[1]) * 4 / 3), "height": round(float(found[2]) * 4 / 3)} if found else {}
    )

"""Formulas as MathML, which every browser sets by itself; what is no formula stays text."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from markupsafe import Markup

LONGEST = 1000  # signs: more is no formula that a page has room for
# what the library writes of \sim, a letter without spaces around it, and of norms, whose left bar alone grows
REPAIRS = {
    "<mi>&#x0007E;</mi>": "<mo>&#x0223C;</mo>",
    "<mo>&#x02016;</mo>": '<mo stretchy="false">&#x02016;</mo>',
    '"false">&#x0007C;</mo>': '"false" lspace="0" rspace="0">&#x0007C;</mo>',
    "<mi>log</mi>": '<mi>log</mi><mspace width="0.17em"/>',
}
MARKUP = re.compile(r"<[/!?a-zA-Z][^<>]*>")  # of a page, not of a formula
SPACE = "{http://www.w3.org/1998/Math/MathML}"
TAGS = {
    *("math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mpadded", "mphantom", "menclose"),
    *("msup", "msub", "msubsup", "mover", "munder", "munderover", "mfrac", "msqrt", "mroot"),
    *("mtable", "mtr", "mtd"),
}
# beside the words and the class that are set here
ATTRIBUTES = {
    *(
        "display",
        "stretchy",
        "fence",
        "form",
        "separator",
        "lspace",
        "rspace",
        "minsize",
        "maxsize",
        "accent",
    ),
    *("movablelimits", "width", "mathvariant", "displaystyle", "scriptlevel", "columnalign", "notation"),
    *("linethickness", "rowspacing", "columnspacing", "accentunder", "largeop"),
}


def block(latex: str) -> Markup:
    """Return a formula of our own in MathML, in a line of its own; its LaTeX is its text."""
    return _worded(_converted(latex, "block"), latex)


def inline(latex: str) -> Markup:
    """Return anybody's formula in MathML, for a sentence; as text where it is none."""
    return _checked(latex, "inline")


def display(latex: str) -> Markup:
    """Return anybody's formula in MathML, in a line of its own; as text where it is none."""
    return _checked(latex, "block")


def _checked(latex: str, place: str) -> Markup:
    latex = " ".join(latex.split())
    if len(latex) > LONGEST or not latex.isprintable() or MARKUP.search(latex):
        return _as_text(latex)
    try:
        math = _worded(_converted(latex, place), latex)
        return math if _is_plain(math) else _as_text(latex)
    except Exception:  # noqa: BLE001  # whatever stops the library is no formula
        return _as_text(latex)


def _converted(latex: str, place: str) -> str:
    from latex2mathml.converter import convert

    math: str = convert(latex, display=place)
    for wrong, right in REPAIRS.items():
        math = math.replace(wrong, right)
    return math


def _worded(math: str, latex: str) -> Markup:
    words = Markup('<math alttext="{}"').format(latex)
    return Markup(math.replace("<math", words, 1))  # noqa: S704  # checked, or of our own docstrings


def _is_plain(math: str) -> bool:
    """Return whether some MathML holds signs and their places, none of them a command that is not known."""
    nodes = [*ET.fromstring(math).iter()]  # noqa: S314  # written by a library, without entities
    return all(
        node.tag.removeprefix(SPACE) in TAGS
        and {*node.attrib} <= ATTRIBUTES | {"alttext"}
        and "\\" not in (node.text or "")
        for node in nodes
    )


def _as_text(latex: str) -> Markup:
    return Markup('<code class="math">{}</code>').format(latex)

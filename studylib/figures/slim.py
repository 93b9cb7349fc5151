"""Fewer bytes for the same drawing: what no screen shows is left out of what Matplotlib writes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256

FAMILY = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
# names that Matplotlib counts, and nothing refers to
COUNTED = re.compile(r' id="(?:[a-z]+\.)?[A-Za-z]+\d?[a-z]*_\d+"')
GRID = "stroke: #e2e6eb"  # of lines that end where their frame does: nothing has to be cut off
HASHED = re.compile(r"\b[mp][0-9a-f]{10}\b")  # names that Matplotlib makes of what they stand for
TAG = re.compile(r"<[a-z][^<>]*>")
NUMBER = r"-?\d+(?:\.\d+)?"
LINE = re.compile(rf"M({NUMBER} {NUMBER})((?:L{NUMBER} {NUMBER})+)")
NEEDLESS = re.compile(r"(?<=\.\d) (?=\.)| (?=-)")  # a sign, or a second point, begins a number by itself
STYLE = re.compile(r' style="([^"]*)"')


def slim(svg: str) -> str:
    """Return the drawing with tenths of a point, relative lines, and each style written once."""
    svg = svg.replace(" font-family: 'DejaVu Sans';", "")  # the typeface need be named only once
    svg = TAG.sub(lambda tag: _tag(re.sub(r"\s+", " ", tag[0])), re.sub(r">\s+<", "><", svg))
    return _named_short(_styled_once("".join(_without_bare_groups(svg))))


def _tag(tag: str) -> str:
    # a tenth of a point is finer than any screen, nor is a turn by nothing seen by anybody
    tag = re.sub(r' (?:[dxy]="|transform="rotate)[^"]*"', lambda found: _coordinates(found[0]), tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    if GRID in tag:
        tag = re.sub(r' clip-path="[^"]*"', "", tag)
    return COUNTED.sub("", LINE.sub(_relative, tag)).replace(' "', '"')


def _coordinates(attribute: str) -> str:
    rounded = re.sub(r"\d+\.\d+", lambda number: _rounded(float(number[0])), attribute)
    return re.sub(r"\s*([A-Za-z])\s+(?=[-\d\"])|\s+", lambda gap: gap[1] or " ", rounded)


def _rounded(number: float) -> str:
    # small numbers are the outlines of marks, whose roundness needs a decimal more
    return f"{number:.{1 if number >= 10 else 2}f}".rstrip("0").rstrip(".")


def _relative(path: re.Match[str]) -> str:
    """Return a line with each point as the step from the one before: small numbers are short ones."""
    points = [complex(*map(float, pair.split())) for pair in [path[1], *path[2][1:].split("L")]]
    at, steps = points[0], []
    for point in points[1:]:
        step = complex(round((point - at).real, 2), round((point - at).imag, 2))
        steps += [_bare(step.real), _bare(step.imag)]
        at += step
    # a sign, or a second point, begins a number as well as a space does
    return f"M{path[1]}l{NEEDLESS.sub('', ' '.join(steps))}"


def _bare(number: float) -> str:
    """Return a number without the zeros that a path does not need."""
    text = f"{number:z.2f}".rstrip("0").rstrip(".")
    return re.sub(r"^(-?)0\.", r"\1.", text) or "0"


def _without_bare_groups(svg: str) -> Iterator[str]:
    """Yield the parts of a drawing without the groups that say nothing of what is in them."""
    said: list[bool] = []
    for part in re.split(r"(<g(?: [^>]*)?>|</g>)", re.sub(r"<g[^>]*/>|<g>\s*</g>", "", svg)):
        if part == "</g>":
            if said.pop():
                yield part
        elif part.startswith("<g"):
            said.append(part != "<g>")
            if said[-1]:
                yield part
        else:
            yield part


def _named_short(svg: str) -> str:
    """Return the drawing with short names for marks and for the frames that cut lines off."""
    own = sha256(svg.encode()).hexdigest()[:2]  # a notebook may put several drawings into one page
    names = {name: f"{name[0]}{own}{k:x}" for k, name in enumerate(dict.fromkeys(HASHED.findall(svg)))}
    return TAG.sub(lambda tag: HASHED.sub(lambda name: names[name[0]], tag[0]), svg)


def _styled_once(svg: str) -> str:
    """Return the drawing with styles that come more than once as classes of its style sheet."""
    found = [style for tag in TAG.findall(svg) for style in STYLE.findall(tag)]
    often = [style for style in dict.fromkeys(found) if found.count(style) > 1]
    own = f"s{sha256(svg.encode()).hexdigest()[:3]}"  # a notebook may put several drawings into one page
    names = {style: f"{own}-{place}" for place, style in enumerate(often)}
    svg = TAG.sub(lambda tag: STYLE.sub(lambda one: _named(one, names), tag[0]), svg)
    rules = "".join(
        f".{name}{{{style.replace(': ', ':').replace('; ', ';')}}}" for style, name in names.items()
    )
    opening = '<style type="text/css">'
    return svg.replace(opening, f"{opening}text{{font-family: {FAMILY}}}{rules}", 1)


def _named(style: re.Match[str], names: Mapping[str, str]) -> str:
    name = names.get(style[1])
    return f' class="{name}"' if name else style[0]

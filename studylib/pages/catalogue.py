"""The page over all techniques: what each is, what it does, when to use it, and where it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from inspect import cleandoc
from io import StringIO
from typing import Any, Protocol

from markupsafe import Markup, escape

from studylib.pages import formulas
from studylib.pages.images import figure
from studylib.pages.layout import page
from studylib.regularizers import CATALOGUE
from studylib.regularizers.base import SUPERVISED, Regularizer, Sampling, StrengthSchedule

# where each kind touches training, in the order of the page
KINDS = {
    "penalty": "A cost that is added to the loss.",
    "weight decay": "A shrinkage of the weights at each step, apart from the loss.",
    "constraint": "A set that the weights are moved back into after each step.",
    "rewiring": "A change of the network before training: a module between two layers, or another layer.",
    "perturbation": "A disturbance of the training batch: of its inputs, of its targets, or of both.",
    "gradient rule": "A change of the gradients before each step.",
    "schedule": "What changes from epoch to epoch: when to stop, how strong, which layers, which weights.",
    "learning rates": "Layers that learn at rates of their own.",
    "prediction": "What is done with the outputs of a trained network; nothing changes in training.",
}
PLURALS = {"penalty": "Penalties", "gradient rule": "Gradient rules"}
UNCHANGED = ("weight decay", "learning rates", "prediction", "rewiring")
GROUPS = {"{": 1, "}": -1, "\\left": 1, "\\right": -1, "\\begin": 1, "\\end": -1}
BRACKETS = {"(": 1, ")": -1, "[": 1, "]": -1, "\\{": 1, "\\}": -1}
DIGITS = 8  # of a default, before it is rounded
WIDE = ("\\quad", "\\qquad")


class Drawing(Protocol):
    """A vector image, and the same in words."""

    @property
    def svg(self) -> str:
        """One ``<svg>`` element."""

    @property
    def alt(self) -> str:
        """What it shows."""


def catalogue_page(pictures: Mapping[str, Drawing], *, command: str = "", commit: str = "") -> bytes:
    """Return the page of all techniques, by kind.

    Args:
        pictures: of each technique, by its name.
        command: what makes the page again, as typed; nothing is said of it if empty.
        commit: of the code that made it.

    Raises:
        KeyError: a technique has no picture.
    """
    entries = [_entry(name, pictures[name]) for name in CATALOGUE]
    kinds = [*KINDS, *sorted({one["kind"] for one in entries} - KINDS.keys())]
    groups = [
        {
            "name": _plural(kind),
            "anchor": f"kind-{kind.replace(' ', '-')}",
            "words": KINDS.get(kind, ""),
            "entries": [one for one in entries if one["kind"] == kind],
        }
        for kind in kinds
    ]
    return page(
        "catalogue.html.j2",
        title="Catalogue of techniques",
        groups=[group for group in groups if group["entries"]],
        count=len(entries),
        command=command,
        commit=commit,
    )


def formula(latex: str) -> Markup:
    """Return a formula in MathML, a line for each of its parts; the LaTeX of each is its text."""
    return Markup("\n").join(formulas.block(part) for part in parts_of(latex))


def parts_of(latex: str) -> list[str]:
    """Return what wide spaces, or commas with a space, separate: a phone shows it below each other.

    Inside of brackets nothing is separated.
    """
    parts, depth, brackets = [""], 0, 0
    for sign in re.findall(r"\\(?:[A-Za-z]+|.)|.", latex):
        depth += GROUPS.get(sign, 0)
        brackets += BRACKETS.get(sign, 0)
        if depth == 0 and (sign in WIDE or (sign == "\\ " and brackets == 0 and parts[-1].endswith(","))):
            parts.append("")
        else:
            parts[-1] += sign
    return [bare for part in parts if (bare := part.strip())]


def yaml(name: str) -> str:
    """Return how to ask for a technique in an arm: what differs from the defaults, in one line.

    What acts on other techniques only, and is refused without any, stands beside dropout.
    """
    from ruamel.yaml import YAML

    alone = not issubclass(CATALOGUE[name], StrengthSchedule | Sampling)
    arm = [CATALOGUE.example(one) for one in ([name] if alone else ["dropout", name])]
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = True
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed by its default, None
    writer.width = 10_000
    buffer = StringIO()
    settings = {one.name: one.model_dump(mode="json", exclude_defaults=True) for one in arm}
    writer.dump({name.replace("_", " "): settings}, buffer)
    return buffer.getvalue().strip().removeprefix("{").removesuffix("}")


def _entry(name: str, drawing: Drawing) -> dict[str, Any]:
    technique = CATALOGUE[name]
    said = technique.sections()
    return {
        "name": name,
        "anchor": name.replace("_", "-"),
        "kind": technique.kind,
        "title": _title(name),
        "summary": _coded(technique.summary()),
        "formula": formula(said["Formula"]) if "Formula" in said else "",
        "figure": figure("image/svg+xml", drawing.svg, drawing.alt),
        "finding": drawing.alt,
        "notes": _notes(technique),
        "use": _coded(_sentence(said.get("Use", ""))),
        "traps": _coded(_sentence(said.get("Traps", ""))),
        "settings": [_setting(key, own) for key, own in technique.settings().items()],
        "tasks": _tasks(technique),
        "yaml": yaml(name),
        "sources": _linked(name),
    }


def _tasks(technique: type[Regularizer]) -> str:
    """Return which problems a technique is for, and if it disturbs inputs, which those are."""
    inputs: frozenset[str] = getattr(technique, "inputs", frozenset())
    tasks = technique.tasks & SUPERVISED if inputs else technique.tasks  # a ranking has no such inputs
    tasks = tasks - {"forecasting"} if inputs and "series" not in inputs else tasks
    return ", ".join(sorted(tasks)) + (f" ({', '.join(sorted(inputs))})" if inputs else "")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _title(name: str) -> str:
    """Return what the file calls its technique: its first words."""
    text = " ".join((import_module(CATALOGUE[name].__module__).__doc__ or "").split())
    return text.partition(" Source:")[0].rstrip(".")


def _linked(name: str) -> list[Markup]:
    """Return the paragraphs in which the file says where its technique comes from, with links."""
    text = (import_module(CATALOGUE[name].__module__).__doc__ or "").partition("Source:")[2]
    link = Markup('<a href="{}" rel="external noreferrer">{}</a>{}')
    return [
        Markup(" ").join(
            link.format(bare := address(word), bare.removeprefix("https://"), word.removeprefix(bare))
            if word.startswith("https://")
            else _coded(word)
            for word in paragraph.split()
        )
        for paragraph in text.split("\n\n")
    ]


def _notes(technique: type[Regularizer]) -> list[Markup]:
    """Return the paragraphs and lists between the first sentence and what has a name."""
    _, *paragraphs = cleandoc(technique.__doc__ or "").split("\n\n")
    named = technique.sections().keys()
    return [_note(text) for text in paragraphs if text.strip() and text.partition(":")[0] not in named]


def _note(text: str) -> Markup:
    if not text.startswith("- "):
        return Markup("<p>{}</p>").format(_coded(" ".join(text.split())))
    items = (" ".join(item.split()) for item in text[2:].split("\n- "))
    return Markup("<ul>{}</ul>").format(Markup().join(Markup("<li>{}</li>").format(_coded(i)) for i in items))


def _coded(text: str) -> Markup:
    """Return the text of a docstring with what stands in double backquotes as code."""
    parts = text.split("``")
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _setting(name: str, said: Mapping[str, Any]) -> dict[str, str]:
    default = "required" if said["required"] else json.dumps(said["default"], ensure_ascii=False)
    if len(default) > DIGITS and isinstance(said["default"], float):
        default = f"{said['default']:.3g}"
    return {
        "name": name,
        "type": str(said["type"]),
        "default": default,
        "range": _range(said),
        "meaning": str(said.get("description", "")),
    }


def _range(said: Mapping[str, Any]) -> str:
    """Return which values a setting takes, in signs."""
    if "enum" in said:
        return ", ".join(map(str, said["enum"]))
    bounds = (("≥", "minimum"), (">", "exclusiveMinimum"), ("≤", "maximum"), ("<", "exclusiveMaximum"))
    return ", ".join(f"{sign} {said[key]:g}" for sign, key in bounds if key in said) or "any"


@cache
def _plural(kind: str) -> str:
    if kind in PLURALS:
        return PLURALS[kind]
    return f"{kind[:1].upper()}{kind[1:]}{'' if kind in UNCHANGED else 's'}"


def address(text: str) -> str:
    """Return an address without the punctuation of the sentence around it; brackets in it are its own."""
    bare = text.rstrip(".,;")
    return bare[:-1] if bare.endswith(")") and bare.count("(") < bare.count(")") else bare

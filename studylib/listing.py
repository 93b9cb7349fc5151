"""What there is: studies, runs, regularizers, datasets, models, metrics, read from where they stand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from studylib import datasets, metrics, models, places, regularizers, runs, sources
from studylib.components import JSON_TYPES, Catalogue

Row = dict[str, Any]


def rows(kind: str) -> list[Row]:
    """Return name, kind, summary and settings of everything of a ``kind`` (``regularizers``, …)."""
    return _KINDS[kind]()


def as_json(kind: str) -> str:
    """Return the rows as JSON."""
    return json.dumps(rows(kind), indent=1, ensure_ascii=False)


def as_text(kind: str) -> str:
    """Return a line per row, and a line per setting under it."""
    listed = rows(kind)
    width = max((len(row["name"]) for row in listed), default=0)
    lines = []
    for row in listed:
        lines.append(f"{row['name']:<{width}}  {row['kind']}: {row['summary']}")
        lines += [f"{'':<{width}}    {_setting(name, own)}" for name, own in row["settings"].items()]
    return "\n".join(lines)


def _setting(name: str, schema: Row) -> str:
    default = json.dumps(schema.get("default"), ensure_ascii=False)
    needed = "required" if schema.get("required") else f"default {default}"
    about = f": {schema['description']}" if "description" in schema else ""
    return f"{name} ({schema['type']}, {needed}){about}"


def _components(catalogue: Catalogue[Any]) -> list[Row]:
    return [
        {"name": name, "kind": cls.kind, "summary": cls.summary(), "settings": cls.settings()}
        for name, cls in catalogue.items()
    ]


def _metrics() -> list[Row]:
    return [
        {
            "name": key,
            "kind": ", ".join(sorted(metric.tasks)),
            "summary": f"{metric.about} {'Higher' if metric.higher_is_better else 'Lower'} is better.",
            "settings": {},
        }
        for key, metric in metrics.KEYS.items()
    ]


def _studies() -> list[Row]:
    return [_study(name) for name in sources.studies()]


def _study(name: str) -> Row:
    path = sources.notebook(name)
    settings = {
        key: {"type": JSON_TYPES[type(value)], "default": value, "required": False}
        for key, value in sources.read_cell(path).items()
    }
    return {"name": name, "kind": "study", "summary": sources.title(path), "settings": settings}


def _runs() -> list[Row]:
    return [_run(study, run) for study in sources.studies() for run in runs.known(study)]


def _run(study: str, run: str) -> Row:
    # as the file says it: to be checked, a run may need files that would have to be fetched
    file = sources.read_yaml(places.project() / "params" / study / f"{run}.yaml")
    tree = sources.merged(sources.read_cell(sources.notebook(study)), file, replaced=("arms",))
    dataset, count, budget = _name(tree["dataset"]), len(tree["arms"]), str(tree.get("budget", ""))
    arms = f"{count} {'arm' if count == 1 else 'arms'}, {tree['seeds']} seeds"
    facts = {"study": study, "run": run, "suite": runs.suite_of(run), "dataset": dataset}
    told = f"on {dataset}, {arms}{f': {budget}' if budget else ''}"
    return {
        "name": f"{study}/{run}",
        "kind": f"suite {facts['suite']}",
        "summary": told,
        "settings": {},
        **facts,
        "budget": budget,
    }


def _name(part: Any) -> str:
    return str(part["name"] if isinstance(part, Mapping) else part)


_KINDS: dict[str, Callable[[], list[Row]]] = {
    "studies": _studies,
    "runs": _runs,
    "regularizers": lambda: _components(regularizers.CATALOGUE),
    "datasets": lambda: _components(datasets.CATALOGUE),
    "models": lambda: _components(models.CATALOGUE),
    "metrics": _metrics,
}

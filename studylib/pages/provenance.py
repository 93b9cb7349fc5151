"""What made a page, and how to make it again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import StringIO
from typing import Any

from studylib.dates import made
from studylib.records import Record
from studylib.secrets import masked

FACTS = ("about", "source", "licence", "attribution", "not good for")


def provenance(record: Record, command: str, commit: str, budget: str = "") -> dict[str, Any]:
    """Return what a page says of its origin: data, versions, code, command, parameters."""
    return {
        "rows": _rows(record),
        "facts": {name: str(record.dataset[name]) for name in FACTS if record.dataset.get(name)},
        "versions": dict(sorted(record.versions.items())),
        "commit": commit,
        "command": command,
        "made": made(),
        "budget": budget,
        "attribution": attribution(record),
        "parameters": yaml(masked(record.params)),
    }


def attribution(record: Record) -> str:
    """Return what the licence of a record's data asks to be said wherever they are used; often nothing."""
    return str(record.dataset.get("attribution", ""))


def attributions(records: Iterable[Record]) -> list[str]:
    """Return what the licences of all data ask to be said, each once."""
    return list(dict.fromkeys(text for one in records if (text := attribution(one))))


def yaml(value: Any) -> str:
    """Return plain data as a params file would say it."""
    from ruamel.yaml import YAML

    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # typed by its default, None
    writer.width = 100
    buffer = StringIO()
    writer.dump(json.loads(json.dumps(value)), buffer)
    return buffer.getvalue().strip()


def _rows(record: Record) -> str:
    split = record.dataset.get("split", {})
    parts = ", ".join(f"{count:,} {part}".replace(",", " ") for part, count in split.items())
    total = record.dataset.get("rows")
    whole = f"{total:,} rows".replace(",", " ") if isinstance(total, int) else "unknown number of rows"
    return f"{whole} ({parts})" if parts else whole

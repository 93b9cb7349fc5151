"""What made a page, and how to make it again."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

from studylib.pages.dates import made
from studylib.records import Record
from studylib.secrets import masked

FACTS = ("about", "source", "licence", "not good for")


def provenance(record: Record, command: str, commit: str) -> dict[str, Any]:
    """Return what a page says of its origin: data, versions, code, command, parameters."""
    return {
        "rows": _rows(record),
        "facts": {name: str(record.dataset[name]) for name in FACTS if record.dataset.get(name)},
        "versions": dict(sorted(record.versions.items())),
        "commit": commit,
        "command": command,
        "made": made(),
        "parameters": yaml(masked(record.params)),
    }


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

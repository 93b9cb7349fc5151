"""Results of fits by their key: JSON that a person can read, with the curves beside it as npz.

Written whole or not at all, and believed only if undamaged: the JSON is written last, with the checksum of
the arrays and its own.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, final

from studylib import places
from studylib.plan import FitSpec
from studylib.records import Status, write_whole

FORMAT = 1


@final
@dataclass(frozen=True)
class Result:
    """What came of one fit. ``seconds`` is the pure training time, ``peak_mb`` the worker's memory so far."""

    status: Status
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    peak_mb: float = 0.0


@final
class Store:
    """A folder of results, shared by all studies and runs."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = (folder or places.store_folder()) / "fits"

    def refuse_unwritable(self) -> None:
        """Say before any fit is computed that none could be kept.

        Raises:
            ParameterError: the folder cannot be made or written to.
        """
        places.refuse_unwritable(self._folder, "Name another store with STUDYLIB_STORE.")

    def get(self, spec: FitSpec) -> Result | None:
        """Return the stored result, or None if there is none that is whole."""
        path = self._path(spec)
        try:
            entry = json.loads(path.read_bytes())
            arrays = path.with_suffix(".npz").read_bytes()
            undamaged = entry.pop("sha256") == _checksum(entry)
            if not undamaged or entry["format"] != FORMAT or entry["key"] != spec.key:
                return None
            if entry["curves_sha256"] != sha256(arrays).hexdigest():
                return None
            return Result(**entry["result"], curves=_unpacked(arrays))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def put(self, spec: FitSpec, result: Result) -> None:
        """Keep a result that the specification alone decides; a killed or failed fit is tried again."""
        if result.status not in {"ok", "diverged"}:
            return
        path = self._path(spec)
        arrays = _packed(result.curves)
        entry = {
            "format": FORMAT,
            "key": spec.key,
            "result": {name: value for name, value in asdict(result).items() if name != "curves"},
            "curves_sha256": sha256(arrays).hexdigest(),
            "spec": asdict(spec),
        }
        entry["sha256"] = _checksum(entry)
        write_whole(path.with_suffix(".npz"), arrays)
        write_whole(path, json.dumps(entry, indent=1, ensure_ascii=False).encode())

    def _path(self, spec: FitSpec) -> Path:
        return self._folder / spec.key[:2] / f"{spec.key}.json"


def _checksum(entry: Mapping[str, Any]) -> str:
    return sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()


def _packed(curves: Mapping[str, list[float]]) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: np.asarray(values, dtype=np.float64) for name, values in curves.items()}
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _unpacked(body: bytes) -> dict[str, list[float]]:
    import numpy as np

    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        return {name: arrays[name].tolist() for name in sorted(arrays)}

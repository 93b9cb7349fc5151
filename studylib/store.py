"""Results of fits by their key: JSON that a person can read, with the curves beside it as npz.

Written whole or not at all, and believed only if undamaged: the JSON is written last, with the checksum of
the arrays and its own. Nobody waits until a disk has them, which takes longer than a small fit: what a power
failure cuts is computed again.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, final

from studylib import places
from studylib.plan import FitSpec
from studylib.records import Status, write_sealed

FORMAT = 1


@final
@dataclass(frozen=True)
class Result:
    """What came of one fit.

    Attributes:
        seconds: the pure training time; ``seconds_to_lowest``: until the validation loss was lowest, of the
            strengths that were chosen, 0 where there are no epochs.
        peak_mb: the largest memory of the worker so far, in 10⁶ bytes.
        host, machine: where it was computed, and on what kind of processor.
        score: what settings are chosen by, see ``trainers.base.Outcome``; None where there is none.
    """

    status: Status
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    peak_mb: float = 0.0
    host: str = ""
    machine: str = ""
    seconds_to_lowest: float = 0.0
    score: float | None = None


@final
class Damaged(Exception):  # noqa: N818  # it names what was found
    """An entry of the store that is not believed, and why."""


@final
class Store:
    """A folder of results, shared by all studies and runs.

    Attributes:
        damaged: entries that were met and not believed, with the reason; whoever needs one computes it again.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or places.store_folder()) / "fits"
        self.damaged: dict[Path, str] = {}

    def refuse_unwritable(self) -> None:
        """Say before any fit is computed that none could be kept.

        Raises:
            ParameterError: the folder cannot be made or written to.
        """
        places.refuse_unwritable(self.folder, "Name another store with STUDYLIB_STORE.")

    def __contains__(self, spec: FitSpec) -> bool:
        return self._whole(spec) is not None

    def get(self, spec: FitSpec) -> Result | None:
        """Return the stored result, or None if there is none that is whole."""
        whole = self._whole(spec)
        return whole and Result(**whole.entry["result"], curves=_unpacked(whole.arrays))

    def without_curves(self, spec: FitSpec) -> Result | None:
        """Return the stored result but for its curves, which take longer to read than all the rest."""
        whole = self._whole(spec)
        return whole and Result(**whole.entry["result"])

    def seconds(self, key: str) -> float:
        """Return how long the training of that key took; 0 if it is not stored whole."""
        try:
            return float(read(self.path(key)).entry["result"]["seconds"])
        except (FileNotFoundError, Damaged):
            return 0.0

    def _whole(self, spec: FitSpec) -> Entry | None:
        path = self.path(spec.key)
        try:
            return read(path)
        except FileNotFoundError:
            return None
        except Damaged as damaged:
            self.damaged[path] = str(damaged)
            return None

    def put(self, spec: FitSpec, result: Result) -> None:
        """Keep a result that the specification alone decides; a killed or failed fit is tried again."""
        if result.status not in {"ok", "diverged"}:
            return
        path = self.path(spec.key)
        arrays = _packed(result.curves)
        entry = {
            "format": FORMAT,
            "key": spec.key,
            "result": {name: value for name, value in vars(result).items() if name != "curves"},
            "curves_sha256": sha256(arrays).hexdigest(),
            "spec": spec.to_dict(),
        }
        entry["sha256"] = _checksum(entry)
        write_sealed(path.with_suffix(".npz"), arrays)
        write_sealed(path, json.dumps(entry, indent=1, ensure_ascii=False).encode())

    def path(self, key: str) -> Path:
        """Return where the result of that key is kept, its curves beside it as npz."""
        return self.folder / key[:2] / f"{key}.json"


@final
@dataclass(frozen=True)
class Entry:
    """A result as it is kept: the JSON, and the bytes of its arrays."""

    entry: Mapping[str, Any]
    arrays: bytes


def read(path: Path) -> Entry:
    """Return the entry at ``path``, checked.

    Raises:
        FileNotFoundError: there is none.
        Damaged: its checksums do not fit, or it is of another format, or in another's place.
    """
    body = path.read_bytes()
    try:
        entry = json.loads(body)
        seal, found = entry.pop("sha256"), entry["format"]
        if found != FORMAT:
            raise Damaged(f"expected format {FORMAT}, got {found!r}: another version wrote it")
        arrays = path.with_suffix(".npz").read_bytes()
        if seal != _checksum(entry) or entry["curves_sha256"] != sha256(arrays).hexdigest():
            raise Damaged("its checksum does not fit: some bytes were changed or lost")
        if entry["key"] != path.stem:
            raise Damaged(f"it belongs to another fit, {entry['key']}")
    except FileNotFoundError:
        raise Damaged("its curves are missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged(f"it cannot be read ({type(error).__name__})") from None
    return Entry(entry, arrays)


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

"""How far a number may be from what it was: not at all where it was computed, a little elsewhere.

Another kind of processor, or another version of a library, adds the same numbers in another order. The last
bits differ, and training takes that further, step by step. Measured on every arm of the four default runs,
with four seeds: the instructions of older processors (SSE 4, AVX2) in place of AVX-512, in torch, oneDNN, MKL
and OpenBLAS alike. The worst of each kind:

- solved exactly: 2e-11, a coefficient of least squares without penalty; so 1e-8.
- trained, a share (accuracy, calibration error, R², recall, NDCG): 0.016, where batch normalization meets
  mixup; so 0.03. Four of five differ by less than 1e-6, but a law for most would accuse the others.
- trained, anything else (losses, errors, norms, counts of weights, curves): 0.06, the train error of a
  network that all but meets its targets; so 0.1.

All are absolute up to 1, and relative beyond. Fits that are stacked on a GPU are held to no less by the same
kind of GPU: see `studylib.agreement`. Not held to anything is what is chosen among near equals and
may jump between them (the best epoch, a strength), nor the bins of confidences: all rows may cross a border.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import inf, isclose
from typing import Any, final

from studylib import plan, processes
from studylib.agreement import EQUAL, OF, TRAINED
from studylib.checks.differences import Difference
from studylib.plan import FitSpec
from studylib.records import Record
from studylib.stacking import stack_of

EXACT = 1e-8
SHARES = (
    "accuracy",
    "ece",
    "r2",
    "recall_at_20",
    "ndcg_at_20",
    "recall_by_popularity",
    "recall_by_user_activity",
)
FREE = ("best_epoch", "lowest_loss_", "chosen_", "calibration_")
STATED = (
    f"numbers may differ by up to {EXACT:g} where a model is solved exactly; where it is trained, by up to"
    f" {TRAINED.share:g} in a share and {TRAINED.other:g} in all else, absolute up to 1 and relative beyond;"
    " best epochs, chosen strengths and bins of confidences are not compared"
)


def here(device: str) -> dict[str, str]:
    """Return the versions that decide numbers on a device, with its kind, where this runs."""
    return {"python": platform.python_version(), **plan.versions(), "machine": processes.machine(device)}


def other_versions(record: Record) -> list[str]:
    """Return what a record was computed with that is not what is here: if nothing, its numbers are exact."""
    found = here(device_of(record))
    own = {name: record.versions.get(name, "unknown") for name in found}
    return [f"{name} {was}, here {found[name]}" for name, was in own.items() if was != found[name]]


def device_of(record: Record) -> str:
    """Return "cpu" or "cuda": which of them computed a record."""
    return "cuda" if record.params.get("device") == "cuda" else "cpu"


def agreed(record: Record) -> str:
    """Return how well fits agree that are found again, in words: to the last bit, or as the record states."""
    device = device_of(record)
    words = OF[device].words
    return words if OF[device] == EQUAL else f"{words}, as records of {device} state"


def studylib_is_other(record: Record) -> list[str]:
    """Return the version of this package, if it was another."""
    was, now = record.versions.get("studylib"), version("studylib")
    return [] if was == now else [f"studylib {was}, here {now}"]


@final
@dataclass(frozen=True)
class Bound:
    """How far the numbers of one fit may be off; ``None`` is to the last bit."""

    share: float | None = None
    other: float | None = None

    def changes(
        self, where: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> Iterator[Difference]:
        """Yield what is too far off, by name: numbers, lists of numbers, and texts, which are never near."""
        for name in sorted({*before, *after}):
            was, now = before.get(name), after.get(name)
            if not (repr(was) == repr(now) or self._bears(name, was, now)):
                yield _furthest(where, name, was, now)

    def _bears(self, name: str, was: Any, now: Any) -> bool:
        if self.other is None or was is None or now is None:
            return False
        if name.startswith(FREE):
            return True
        limit = self.share if name.endswith(SHARES) else self.other
        pairs = (
            zip(was, now, strict=False) if isinstance(was, list) and isinstance(now, list) else [(was, now)]
        )
        return all(near(a, b, limit or 0) for a, b in pairs)


def bound(other: Sequence[str], spec: FitSpec) -> Bound:
    """Return the bound for a fit that was computed with ``other`` versions, or with none other."""
    exact = spec.training["optimizer"] == "exact"
    if other:
        return Bound(EXACT, EXACT) if exact else Bound(*TRAINED)
    return Bound(*OF[spec.device]) if not exact and stack_of(spec) else Bound()


def near(was: Any, now: Any, limit: float) -> bool:
    """Return whether two numbers differ by at most ``limit``, absolute up to 1 and relative beyond."""
    numbers = isinstance(was, int | float) and isinstance(now, int | float)
    return repr(was) == repr(now) or (numbers and isclose(was, now, rel_tol=limit, abs_tol=limit))


def _furthest(where: str, name: str, was: Any, now: Any) -> Difference:
    """Return how a value differs; of a list, where that is furthest off."""
    if not (isinstance(was, list) and isinstance(now, list)):
        return Difference(where, name, _shown(was), _shown(now))
    if len(was) != len(now):
        return Difference(where, f"the curve {name}", f"{len(was)} points", f"{len(now)} points")
    off = [abs(a - b) if isinstance(a, int | float) else inf for a, b in zip(was, now, strict=True)]
    place = off.index(max(off))
    return Difference(where, f"the curve {name}[{place}]", repr(was[place]), repr(now[place]))


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{len(value)} points" if isinstance(value, list) else repr(value)

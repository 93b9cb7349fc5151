"""What a run measured, as plain data: no clock times, no host names, an exact round trip through JSON."""

from __future__ import annotations

import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from math import inf, isfinite, nan
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, final

from studylib import trials
from studylib.errors import ParameterError
from studylib.frames import any_text
from studylib.secrets import masked
from studylib.trials import Trial

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
UNKNOWN = {"difference": nan, "low": -inf, "high": inf}  # of a contrast without pairs
Status = Literal["ok", "diverged", "failed", "timed out", "killed"]
Verdict = Literal["better", "worse", "equivalent", "undecided"]
Test = Literal["t", "sign flip"]


@final
@dataclass(frozen=True)
class Fit:
    """One arm trained with one seed.

    Attributes:
        metrics: one number per metric, named ``<part>_<metric>`` with part train, validation or test.
        curves: lists of numbers: one per epoch (``train_loss``), per bin, or per feature.
        reason: why ``status`` is not ``ok``; empty otherwise.
        key: of the fit in the store; empty if it is not known.
        trials: what was tried before, in that order; empty where nothing was open.
    """

    arm: str
    seed: int
    status: Status = "ok"
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, list[float]] = field(default_factory=dict)
    reason: str = ""
    key: str = ""
    trials: tuple[Trial, ...] = ()


@final
@dataclass(frozen=True)
class Contrast:
    """An arm against the baseline on one metric, paired by seed.

    Attributes:
        difference: mean over seeds of arm − baseline, in the unit of the metric; nan without a pair.
        low, high: bounds of the Student-t interval of that mean at ``level``; infinite below two pairs.
        p: two-sided p value of no difference by Student's t.
        p_holm: that of the test that decided, after Holm over the arms of the study.
        pairs: how many seeds both finished.
        decided_by: the t test, or the sign-flip test where the larger of both counts.
        p_sign_flip: two-sided p value of no difference by the sign-flip test; None where it was not asked.
        p_equivalent: p value of a difference that matters, by the test that decided, after Holm.
        cautious_low, cautious_high: bounds of the corrected resampled t interval at ``level``, of new data
            instead of further seeds; None below two pairs, or if the record does not say how data were split.
        win_rate: share of pairs in which the arm is better, a tie counting half; None without a pair.
        more_seeds: how many more would decide, with a chance of 80 % were the truth as seen; None if it is
            decided, or if nobody can tell.
    """

    arm: str
    metric: str
    baseline: str
    difference: float
    low: float
    high: float
    level: float
    p: float
    p_holm: float
    verdict: Verdict
    pairs: int
    # what records of earlier versions do not have
    decided_by: Test = "t"
    p_sign_flip: float | None = None
    p_equivalent: float | None = None
    cautious_low: float | None = None
    cautious_high: float | None = None
    win_rate: float | None = None
    more_seeds: int | None = None


@final
@dataclass(frozen=True)
class Record:
    """A run: a study with its parameters, every fit, and the contrasts drawn from them."""

    study: str
    run: str
    params: Mapping[str, Any]
    dataset: Mapping[str, Any]
    fits: tuple[Fit, ...]
    versions: Mapping[str, str]
    contrasts: tuple[Contrast, ...] = ()
    headline: str = ""

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms in the order of the study; the first is the baseline."""
        return tuple(self.params["arms"])

    @property
    def baseline(self) -> str:
        """Name of the arm that the others are held against."""
        return self.arms[0]

    def arm(self, name: str) -> str:
        """Return ``name`` if the run has an arm of that name, else the baseline's."""
        return name if name in self.arms else self.baseline

    def finished(self, arm: str) -> tuple[Fit, ...]:
        """Return the fits of ``arm`` that ended well, in the order of their seeds."""
        return tuple(fit for fit in self.fits if fit.arm == arm and fit.status == "ok")

    def unfinished(self) -> tuple[Fit, ...]:
        """Return every fit that did not end well."""
        return tuple(fit for fit in self.fits if fit.status != "ok")

    @any_text()
    def to_frame(self) -> pd.DataFrame:
        """Return a row per fit: arm, seed, status, reason, and a column per metric."""
        import pandas as pd

        rows = [
            {"arm": f.arm, "seed": f.seed, "status": f.status, "reason": f.reason, **f.metrics}
            for f in self.fits
        ]
        return pd.DataFrame(rows)

    def finding(self) -> str:
        """Return the headline as Markdown that shows every character as it is, in names of arms too."""
        return re.sub(r"([\\`*_\[\]<>!#|~$&])", r"\\\1", self.headline)

    def provenance(self) -> str:
        """Return what the numbers depend on, as a list in Markdown: data, fits and versions."""
        facts = {
            "dataset": f"{self.dataset['name']}, sha256 {self.dataset['sha256']}",
            "fits": f"{len(self.fits)} ({len(self.arms)} arms × {self.params['seeds']} seeds)",
            "not finished": str(len(self.unfinished())),
            **self.versions,
        }
        return "\n".join(f"- **{fact}**: {value}" for fact, value in facts.items())

    def save(self, path: Path) -> None:
        """Write the record as JSON, whole or not at all."""
        # Keys keep their order: the first arm is the baseline.
        data = {"format": FORMAT, **vars(self), "contrasts": [_closed(c) for c in self.contrasts]}
        data["fits"] = [_short(fit) for fit in self.fits]
        data["params"] = masked(self.params)
        body = json.dumps(data, indent=1, ensure_ascii=False)
        write_whole(path, body.encode() + b"\n")

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read a record, gzipped if its name ends so.

        Raises:
            ParameterError: no such file, not a record, or a record of another format.
        """
        try:
            body = path.read_bytes()
            data = json.loads(gzip.decompress(body) if path.suffix == ".gz" else body)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ParameterError(f"{path}: expected a record in JSON, gzipped, but {error}.") from None
        except OSError as error:
            raise ParameterError(f"{path}: cannot be read: {error.strerror}.") from None
        except ValueError as error:
            raise ParameterError(f"{path}: expected a record in JSON, but {error}.") from None
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise ParameterError(
                f"{path}: expected a record of format {FORMAT} (reports/<study>/<run>.json)."
            )
        try:
            fits = tuple(map(_fit, data.pop("fits")))
            contrasts = tuple(_opened(contrast) for contrast in data.pop("contrasts"))
            data["params"] = masked(data["params"])
            return cls(**data, fits=fits, contrasts=contrasts)
        except (KeyError, TypeError, ValueError) as error:
            raise ParameterError(f"{path}: a record with a field missing or too many: {error}.") from None

    def with_contrasts(self, contrasts: tuple[Contrast, ...], headline: str) -> Record:
        """Return the record with what was concluded from it."""
        return replace(self, contrasts=contrasts, headline=headline)


def _short(fit: Fit) -> dict[str, Any]:
    fields = {name: own for name, own in vars(fit).items() if name != "trials"}
    return fields | ({"trials": trials.closed(fit.trials)} if fit.trials else {})


def _fit(fields: dict[str, Any]) -> Fit:
    return Fit(**fields | {"trials": trials.opened(fields.get("trials", {}))})


def _closed(contrast: Contrast) -> dict[str, Any]:
    # JSON has no infinity: what two pairs are needed for is null without them.
    fields = asdict(contrast)
    return fields | {name: None for name in UNKNOWN if not isfinite(fields[name])}


def _opened(fields: dict[str, Any]) -> Contrast:
    return Contrast(**fields | {name: value for name, value in UNKNOWN.items() if fields[name] is None})


def write_whole(path: Path, body: bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one, never a part."""
    with _draft(path) as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())


def write_sealed(path: Path, body: bytes) -> None:
    """Write a file under a checksum so that a reader sees the old one or the new one, and wait for no disk.

    After a power failure it may be cut, which its checksum tells.
    """
    with _draft(path) as file:
        file.write(body)


@contextmanager
def _draft(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file that takes the place of the one at ``path`` once it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            yield file
        draft.replace(path)
    except OSError as error:  # of a full disk the system does not say which file it is about
        raise type(error)(error.errno, error.strerror, str(path)) from None
    finally:
        draft.unlink(missing_ok=True)

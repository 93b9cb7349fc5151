"""Whether an arm keeps the same columns when the rows change, and how many that know nothing are among them.

Nogueira, Sechidis and Brown (2018), On the stability of feature selection algorithms, JMLR 18(174),
https://jmlr.org/papers/v18/17-514.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan, sqrt
from typing import TYPE_CHECKING, final

from studylib.datasets.breast_cancer import PROBE
from studylib.frames import any_text
from studylib.statistics import Interval, paired_interval

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from studylib.records import Record

LEVEL = 0.95
QUANTILE = 1.959963984540054  # of the normal distribution, for an interval of that level


@final
@dataclass(frozen=True)
class Stability:
    """What an arm keeps of the columns, over its seeds.

    Attributes:
        arm: its name.
        kept: mean number of columns kept, with its interval.
        columns: how many there are.
        always: how many are kept in every seed.
        index: Nogueira's Φ with its 95 % interval: 1 if every seed keeps the same columns, 0 on average if
            each draws its columns by lot. None with fewer than two seeds, or if all or no columns are kept.
        overlap: mean share of the columns of two seeds that both keep (Jaccard); nan as for the index.
        false: mean share of probes among the columns kept, with its interval: of what is kept so much is
            known to be chance, and so more in all. None where there are no probes, or nothing was kept.
    """

    arm: str
    kept: Interval
    columns: int
    always: int
    index: Interval | None
    overlap: float
    false: Interval | None


def stabilities(record: Record, names: Sequence[str] | None = None) -> list[Stability]:
    """Return what each arm with coefficients keeps; ``names`` of the columns tell which are probes."""
    import numpy as np

    found = []
    for arm in record.arms:
        rows = [fit.curves["coefficients"] for fit in record.finished(arm) if "coefficients" in fit.curves]
        if rows:
            found.append(_of(arm, np.array(rows) != 0, names or ()))
    return found


@any_text()
def stability(record: Record, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Return ``stabilities`` for reading: a row per arm, numbers as text."""
    import pandas as pd

    rows = []
    probed = bool(_probes(names or ()))
    for one in stabilities(record, names):
        row = {
            "arm": one.arm,
            "columns kept": f"{one.kept.mean:.1f} of {one.columns}",
            "in every seed": str(one.always),
            "stability": f"{one.index.mean:.2f}" if one.index else "—",
            "95 % interval": f"{one.index.low:.2f} to {one.index.high:.2f}" if one.index else "—",
            "Jaccard": "—" if one.index is None else f"{one.overlap:.2f}",
        }
        if probed:
            row["probes among them"] = f"{one.false.mean:.0%}" if one.false else "—"
        rows.append(row)
    return pd.DataFrame(rows).set_index("arm") if rows else pd.DataFrame()


@any_text()
def most_kept(record: Record, names: Sequence[str] | None = None, most: int = 15) -> pd.DataFrame:
    """Return the columns that arms keep most often, a row each, and in which share of seeds, as text.

    An arm that keeps all columns in every seed, as ridge does, chooses none, and is left out.
    """
    import numpy as np
    import pandas as pd

    shares = {}
    for arm in record.arms:
        rows = [fit.curves["coefficients"] for fit in record.finished(arm) if "coefficients" in fit.curves]
        if rows and not np.all(rows):
            shares[arm] = (np.array(rows) != 0).mean(axis=0)
    if not shares:
        return pd.DataFrame()
    table = pd.DataFrame(shares)
    table.index = pd.Index(names or [f"column {k + 1}" for k in range(len(table))], name="column")
    order = np.argsort(-table.to_numpy().mean(axis=1), kind="stable")[:most]
    return table.iloc[order].map("{:.0%}".format)


def nogueira(kept: np.ndarray) -> tuple[float, float]:
    """Return the stability Φ of a selection, and the standard error of that.

    Φ = 1 − mean_f s_f² / (k̄/d·(1 − k̄/d)), s_f² being the unbiased variance of "column f is kept" over the
    seeds, k̄ the mean number of columns kept.

    Args:
        kept: which of the d columns (axis 1) each of M ≥ 2 seeds (axis 0) keeps; not all, and not none.
    """
    seeds, columns = kept.shape
    often = kept.mean(axis=0)
    count, mean = kept.sum(axis=1) / columns, often.mean()
    chance = mean * (1 - mean)
    index = 1 - seeds / (seeds - 1) * (often * (1 - often)).mean() / chance
    alone = kept @ often / columns - count * mean + index / 2 * (2 * count * mean - count - mean + 1)
    own = alone / chance
    return float(index), 2 / seeds * sqrt(float(((own - own.mean()) ** 2).sum()))


def jaccard(kept: np.ndarray) -> float:
    """Return the mean over pairs of seeds of what both keep, as a share of what either does; 1 if neither."""
    pairs = list(combinations(kept.astype(bool), 2))
    shares = [(a & b).sum() / either if (either := (a | b).sum()) else 1.0 for a, b in pairs]
    return float(sum(shares) / len(shares)) if shares else nan


def _probes(names: Sequence[str]) -> list[int]:
    return [place for place, name in enumerate(names) if name.startswith(PROBE)]


def _of(arm: str, kept: np.ndarray, names: Sequence[str]) -> Stability:
    counts = kept.sum(axis=1)
    index, overlap = None, nan
    if len(kept) > 1 and 0 < counts.sum() < kept.size:
        mean, error = nogueira(kept)
        index = Interval(mean, mean - QUANTILE * error, mean + QUANTILE * error, LEVEL, nan)
        overlap = jaccard(kept)
    probes = _probes(names)
    chance = kept[:, probes].sum(axis=1)[counts > 0] / counts[counts > 0]
    return Stability(
        arm,
        paired_interval([float(count) for count in counts], LEVEL),
        kept.shape[1],
        int(kept.all(axis=0).sum()),
        index,
        overlap,
        paired_interval(chance.tolist(), LEVEL) if probes and len(chance) else None,
    )

"""How long the fits of a record took: clock time, which is in the store and never in a record."""

from __future__ import annotations

from math import nan
from statistics import fmean
from typing import TYPE_CHECKING

from studylib import store
from studylib.frames import any_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from studylib.records import Fit, Record
    from studylib.store import Store


@any_text()
def durations(record: Record, kept: Store) -> pd.DataFrame:
    """Return a row per arm of what the store knows of its fits, whenever and wherever they were computed.

    Columns: arm; fits, how many of the finished ones the store still has; seconds, the mean of a fit with
    all its candidate strengths and its measuring; seconds_to_best, the mean time of training, of the strength
    that was chosen, until the validation loss was lowest. A mean of nothing is nan, as for models that are
    solved exactly.
    """
    import pandas as pd

    rows = [(arm, *_means(record.finished(arm), kept)) for arm in record.arms]
    return pd.DataFrame(rows, columns=["arm", "fits", "seconds", "seconds_to_best"])


def _means(fits: Sequence[Fit], kept: Store) -> tuple[int, float, float]:
    found = [times for fit in fits if (times := _times(fit, kept))]
    whole, best = [one for one, _ in found], [one for _, one in found if one]
    return len(found), fmean(whole) if whole else nan, fmean(best) if best else nan


def _times(fit: Fit, kept: Store) -> tuple[float, float] | None:
    try:
        result = store.read(kept.path(fit.key)).entry["result"]
    except (FileNotFoundError, store.Damaged):
        return None
    return float(result["seconds"]), float(result.get("seconds_to_lowest", 0.0))

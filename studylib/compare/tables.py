"""The arms of a record side by side, for display."""

from __future__ import annotations

from math import isfinite, isnan
from typing import TYPE_CHECKING

from studylib.compare.pairing import arm_means, values
from studylib.compare.sentences import spoken, unit_of
from studylib.compare.verdicts import contrasts
from studylib.frames import any_text
from studylib.metrics import PARTS, metric_of
from studylib.records import Record

if TYPE_CHECKING:
    import pandas as pd

NUMBERS = ["difference", "low", "high", "cautious_low", "cautious_high", "p_holm", "win_rate", "more_seeds"]
OF_CONTRAST = [*NUMBERS[:6], "decided_by", "verdict", "pairs", *NUMBERS[6:]]
SMALLEST_P = 0.001  # shown as such: a smaller one says nothing that a reader could use


@any_text()
def table(record: Record, metric: str | None = None, baseline: str | None = None) -> pd.DataFrame:
    """Return a row per arm, the best difference first; the baseline stands where its difference of 0 puts it.

    Columns: arm; mean over its finished seeds; then of the contrast: difference, low, high (95 %, further
    seeds), cautious_low, cautious_high (95 %, new data), p_holm, decided_by (the test), verdict (``baseline``
    for the baseline), pairs, win_rate, more_seeds. Numbers are in the unit of the record; nan is for none.

    Args and errors are those of ``contrasts``.
    """
    import pandas as pd

    metric, baseline = metric or str(record.params["metric"]), baseline or record.baseline
    means = arm_means(record, metric)
    seeds = len(values(record, baseline, metric))
    own = {"arm": baseline, "mean": means[baseline], "difference": 0.0, "verdict": "baseline", "pairs": seeds}
    rows = [
        {
            "arm": c.arm,
            "mean": means[c.arm],
            **{name: getattr(c, name) for name in OF_CONTRAST},
        }
        for c in contrasts(record, metric, baseline)
    ]
    frame = pd.DataFrame([own, *rows], columns=["arm", "mean", *OF_CONTRAST])
    frame[NUMBERS] = frame[NUMBERS].astype(float)
    upwards = not metric_of(metric).higher_is_better
    return frame.sort_values("difference", ascending=upwards, kind="stable", ignore_index=True)


@any_text()
def summary(record: Record, metric: str | None = None, baseline: str | None = None) -> pd.DataFrame:
    """Return ``table`` for reading: a row per arm, numbers as text in the unit that a reader knows.

    Wins are the share of seeds in which the arm was better; test is the one that p is from, if for any arm
    it is not Student's; more seeds is how many might decide. Args and errors are those of ``contrasts``.
    """
    import pandas as pd

    key = metric or str(record.params["metric"])
    measure, unit = metric_of(key), metric_of(key).unit_shown(unit_of(record))
    rows = []
    for row in table(record, metric, baseline).to_dict("records"):
        reach = (row["high"] - row["low"]) / 2
        low, high = measure.digits(row["low"], reach), measure.digits(row["high"], reach)
        mean = measure.formatted(row["mean"]) if row["pairs"] else "no fit finished"
        texts = {"arm": row["arm"], spoken(key): mean}
        if row["pairs"] and row["verdict"] != "baseline":
            texts |= {
                f"difference ({unit})" if unit else "difference": measure.digits(row["difference"], reach),
                "95 % interval": f"{low} to {high}",
                "p (Holm)": f"{row['p_holm']:.3f}" if row["p_holm"] >= SMALLEST_P else f"< {SMALLEST_P}",
                "test": row["decided_by"],
                "wins": f"{row['win_rate']:.0%}",
                "more seeds": "" if isnan(row["more_seeds"]) else f"{row['more_seeds']:.0f}",
            }
        rows.append({**texts, "verdict": row["verdict"]})
    frame = pd.DataFrame(rows).set_index("arm").fillna("")
    said_by_all = {"test"} if "sign flip" not in set(frame.get("test", ())) else set()
    nobody_needs = {"more seeds"} if not any(frame.get("more seeds", ())) else set()
    left_out = {"verdict", *said_by_all, *nobody_needs}
    return frame[[name for name in frame if name not in left_out] + ["verdict"]]


@any_text()
def means(record: Record, *metrics: str) -> pd.DataFrame:
    """Return the mean over seeds of each of the ``metrics``, a row per arm, numbers as text for reading.

    Without any, of those that the record was judged by: the metric that decides, on each part of the rows
    where it was measured, the number of non-zero weights, and their norm.

    Raises:
        ParameterError: the record has no such number.
    """
    import pandas as pd

    columns = {key: arm_means(record, key) for key in metrics or _judged_by(record)}
    return pd.DataFrame(
        {
            key.replace("_", " "): {
                arm: f"{mean:.4g}" if isfinite(mean) else "" for arm, mean in column.items()
            }
            for key, column in columns.items()
        }
    )


def _judged_by(record: Record) -> list[str]:
    key = str(record.params["metric"])
    name = metric_of(key).name
    measured = {one for arm in record.arms for fit in record.finished(arm) for one in fit.metrics}
    wanted = [*(f"{part}_{name}" for part in PARTS), "nonzeros", "weight_norm"]
    return [one for one in wanted if one in measured] or [key]

"""Forecasts of a study's arms beside what came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studylib.params import StudyParams
    from studylib.records import Fit, Record

MOST_ARMS = 4  # that can be told apart in one panel


def forecasts(params: StudyParams, record: Record, seed: int = 0) -> dict[str, Any]:
    """Return ``past``, ``came`` and ``arms`` for three test windows of ``seed``, evenly spread over the test.

    ``past`` (3, steps) are the last values before each, of at most two horizons; ``came`` (3, horizon) what
    followed; ``arms`` by name the forecasts (3, horizon) of the baseline and of the three others whose mean
    test error is lowest, all in standard deviations of the train values. ``arms`` is empty where the study is
    no forecast, or no training of that seed came to its end.
    """
    import numpy as np

    from studylib.trainers._forecasts import shown_windows

    ended = (fit for arm in record.arms for fit in record.finished(arm))
    known = {fit.arm: fit for fit in ended if fit.seed == seed and "forecast_1" in fit.curves}
    if not known:
        return {"past": np.empty((0, 0)), "came": np.empty((0, 0)), "arms": {}}
    test = params.dataset.split(seed).test
    rows = shown_windows(len(test))
    return {
        "past": test.x[rows][:, -2 * test.y.shape[1] :, 0],
        "came": test.y[rows],
        "arms": {arm: _kept(known[arm], len(rows)) for arm in _leading(record) if arm in known},
    }


def _kept(fit: Fit, windows: int) -> Any:
    import numpy as np

    return np.array([fit.curves[f"forecast_{number}"] for number in range(1, windows + 1)])


def _leading(record: Record) -> list[str]:
    """Return the baseline, and then the others by their mean test error."""
    errors = {
        arm: sum(fit.metrics["test_mse"] for fit in fits) / len(fits)
        for arm in record.arms
        if (fits := record.finished(arm))
    }
    others = sorted((arm for arm in errors if arm != record.baseline), key=errors.__getitem__)
    return [record.baseline, *others[: MOST_ARMS - 1]]

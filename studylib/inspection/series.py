"""What a series shows before anything is run: shifts, standstill, rhythm, columns that know its future."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studylib.inspection.finding import Finding

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Dataset, Split

SHIFTED = 1.0  # standard deviations of the train values
STANDSTILL = 0.05  # of all steps, in one run of equal values
KNOWING = 0.999  # correlation with the target
RHYTHM = 0.5  # autocorrelation of the changes, from which a lag is a rhythm
MOST_STEPS = 200_000  # that are looked at


def findings(dataset: Dataset, split: Split) -> list[Finding]:
    """Return what is likely to mislead in a series; nothing for other inputs."""
    if dataset.inputs != "series":
        return []
    values = dataset.arrays()["values"][:MOST_STEPS]
    values = values.reshape(len(values), -1)
    found = [_shifted(split), _standing(values[:, 0]), _rhythm(values[:, 0], split.inputs[0])]
    if split.inputs[1] == values.shape[1]:  # else each column is forecast from itself alone
        names = dataset.columns() or ("the series",)
        found += [
            _knowing(values[:, 0], values[:, place], name, split.outputs)
            for place, name in enumerate(names)
            if place
        ]
    return [one for one in found if one]


def _shifted(split: Split) -> Finding | None:
    shift = float(split.test.y.mean() - split.train.y.mean())
    if abs(shift) < SHIFTED:
        return None
    where = "above" if shift > 0 else "below"
    return Finding(
        "shift",
        f"The test lies {abs(shift):.1f} standard deviations {where} what is learnt from.",
        "Models that follow the last value can follow it: nlinear, or series_lstm with level: last.",
    )


def _standing(target: np.ndarray) -> Finding | None:
    import numpy as np

    ends = np.flatnonzero(np.append(np.diff(target) != 0, True))
    runs = np.diff(ends, prepend=-1)
    longest = int(runs.argmax())
    if runs[longest] < max(3, STANDSTILL * len(target)):
        return None
    first = int(ends[longest] - runs[longest]) + 2
    return Finding(
        "standstill",
        f"The target is {target[ends[longest]]:g} in {runs[longest]:,} steps on end, from step {first:,} of"
        f" {len(target):,} on.",
        "Was it measured there, or filled in?",
    )


def _rhythm(target: np.ndarray, look_back: int) -> Finding | None:
    """Return a rhythm that is longer than the look-back."""
    import numpy as np

    changes = np.diff(target)
    changes = changes - changes.mean()
    power = np.abs(np.fft.rfft(changes, 2 * len(changes))) ** 2
    own = np.fft.irfft(power)[: len(changes) // 3]
    if not len(own) or own[0] <= 0:
        return None
    after = np.flatnonzero(own < 0)  # whatever comes before is the nearest neighbours' likeness
    if not len(after):
        return None
    lag = int(after[0] + own[after[0] :].argmax())
    if own[lag] / own[0] < RHYTHM or lag <= look_back:
        return None
    return Finding(
        "rhythm",
        f"The changes of the target come again after {lag} steps (correlation {own[lag] / own[0]:.2f}), and"
        f" a forecast looks back on {look_back}.",
        f"--set dataset.look_back={lag + 1}",
    )


def _knowing(target: np.ndarray, column: np.ndarray, name: str, horizon: int) -> Finding | None:
    """Return whether a column is the target on another scale, at its own time or some steps ahead."""
    import numpy as np

    if column.min() == column.max():
        return Finding(
            "constant", f"{name!r} is {column[0]:g} in all rows, and says nothing.", _without(name)
        )
    for ahead in range(min(horizon, len(target) // 2) + 1):
        now, then = column[: len(column) - ahead], target[ahead:]
        if now.std() and then.std() and abs(float(np.corrcoef(now, then)[0, 1])) > KNOWING:
            when = f"{ahead} step{'s' * (ahead != 1)} later" if ahead else "on another scale"
            return Finding("leakage?" if ahead else "copy", f"{name!r} is the target {when}.", _without(name))
    return None


def _without(name: str) -> str:
    return f"Leave {name!r} out of dataset.columns."

"""What is kept of the forecasts for the test windows, beside how wrong they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from studylib.datasets.base import Examples

SHOWN = 3  # windows whose forecasts are kept whole, to be drawn
DIGITS = 5  # of a value that is kept to be drawn


def repeated(rows: Examples) -> np.ndarray:
    """Return the naive forecast (n, 1): the last value that is known of the series, which y continues."""
    naive: np.ndarray = rows.x[:, -1, :1]
    return naive


def shown_windows(rows: int) -> list[int]:
    """Return which of the test windows are drawn: evenly spread, neither the first nor the last."""
    return [(2 * place + 1) * rows // (2 * SHOWN) for place in range(SHOWN)]


def forecast_curves(outputs: np.ndarray, test: Examples) -> dict[str, list[float]]:
    """Return curves over the steps ahead, for forecasts (n, horizon) of the test windows.

    ``error_by_step``: the mean squared error at each step, whose mean is ``test_mse``; ``naive_by_step``:
    that of repeating the last value; ``forecast_1`` to ``forecast_3``: those of ``shown_windows``, to five
    digits.
    """
    import numpy as np

    predicted = outputs.reshape(test.y.shape)
    naive = np.broadcast_to(repeated(test), test.y.shape)
    curves = {"error_by_step": _by_step(predicted, test.y), "naive_by_step": _by_step(naive, test.y)}
    for number, row in enumerate(shown_windows(len(test)), start=1):
        curves[f"forecast_{number}"] = [float(f"{value:.{DIGITS}g}") for value in predicted[row]]
    return curves


def _by_step(said: np.ndarray, came: np.ndarray) -> list[float]:
    # step by step: all at once would take as much memory again as the forecasts do
    return [float(((a - b) ** 2).mean()) for a, b in zip(said.T, came.T, strict=True)]

"""Is a model right as often as it says? Accuracy against confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from studylib.figures.style import ACCENT, FAINT, label_edges, panels, picture, say, saying, sheet, styled
from studylib.figures.words import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.records import Fit, Record

FEW = 0.005  # share of the predictions below which a bin says nothing
TITLE = "Where a model is sure, is it right?"
NOTE = (
    "On the diagonal: right as often as it says. Below: overconfident. Bars: 95\N{NO-BREAK SPACE}%,"
    " with the seeds as units."
)


@final
@dataclass(frozen=True)
class Bins:
    """Predictions of several seeds together, in bins of their confidence; arrays of shape (bins,).

    Attributes:
        share: of all predictions, 0 to 1.
        confidence, accuracy: means, 0 to 1; nan in an empty bin.
        error: half width of the 95 % interval of the accuracy; 0 where there is one seed, or no prediction.
    """

    share: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    error: np.ndarray

    @property
    def means(self) -> tuple[float, float]:
        """Mean confidence and accuracy over all predictions, 0 to 1."""
        return float(np.nansum(self.share * self.confidence)), float(np.nansum(self.share * self.accuracy))


@styled
def draw_reliability(record: Record, arms: Sequence[str] | None = None) -> Picture:
    """Draw accuracy against confidence over all seeds, with 95 % intervals, a panel per arm.

    Bins with less than half a percent of the predictions are left out.
    """
    names = list(arms or record.arms)
    found = {arm: pooled(record.finished(arm)) for arm in names}
    if not any(found.values()):
        return saying("No calibration: the task has no classes, or no training came to its end.")
    figure = sheet(1.0 + 1.75 * -(-len(names) // 2), TITLE, NOTE)
    axes = panels(figure, names)
    for panel, arm in zip(axes, names, strict=True):
        _draw(panel, found[arm])
    label_edges(axes, "confidence (%)", "accuracy (%)")
    return picture(figure, f"{TITLE} " + " ".join(_told(arm, found[arm]) for arm in names))


def pooled(fits: Sequence[Fit]) -> Bins | None:
    """Return the bins of all ``fits`` together, or nothing where none has any.

    The accuracy is the ratio Σ right/Σ count over seeds, its error that of a ratio estimator, by Student's t.
    Source: Cochran (1977), Sampling Techniques, section 2.11.
    """
    from scipy.special import stdtrit

    curves = [fit.curves for fit in fits if "calibration_count" in fit.curves]
    if not curves:
        return None
    kinds = ("count", "confidence", "accuracy")
    count, sure, right = (np.array([c[f"calibration_{kind}"] for c in curves], dtype=float) for kind in kinds)
    total, seeds = count.sum(axis=0), len(curves)
    filled = np.where(total > 0, total, np.nan)
    accuracy = (count * right).sum(axis=0) / filled
    residuals = (count * (right - accuracy)) ** 2
    error = np.zeros(len(total))
    if seeds > 1:
        error = np.sqrt(residuals.sum(axis=0) * seeds / (seeds - 1)) / filled * stdtrit(seeds - 1, 0.975)
    return Bins(total / total.sum(), (count * sure).sum(axis=0) / filled, accuracy, np.nan_to_num(error))


def _draw(panel: Axes, bins: Bins | None) -> None:
    panel.plot([0, 100], [0, 100], color=FAINT, linewidth=1.2)
    panel.set(xlim=(0, 102), ylim=(0, 102))
    if bins is None:
        say(panel, "no seed came to the end of its training")
        return
    kept = bins.share >= FEW
    x, y, reach = (100 * values[kept] for values in (bins.confidence, bins.accuracy, bins.error))
    panel.errorbar(x, y, reach, color=ACCENT, marker="o", markersize=4, linewidth=1.4, elinewidth=1.2)


def _told(arm: str, bins: Bins | None) -> str:
    if bins is None:
        return f"{arm}: nothing to show."
    sure, right = bins.means
    side = "more sure than right" if sure > right else "more right than sure"
    return f"{arm}: mean confidence {percent(sure)}, accuracy {percent(right)}: {side}."

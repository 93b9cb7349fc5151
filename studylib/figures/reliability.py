"""Is a model right as often as it says? Accuracy against confidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from studylib.figures.picture import Table
from studylib.figures.style import ACCENT, FAINT, label_edges, panels, picture, say, saying, sheet, styled
from studylib.figures.words import percent, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from studylib.figures.picture import Picture
    from studylib.records import Fit, Record

FEW = 0.005  # share of the predictions below which a bin says nothing
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
        share_error: half width of the 95 % interval of the share over the seeds; 0 where there is one.
    """

    share: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    error: np.ndarray
    share_error: np.ndarray

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
    title = _title({arm: bins for arm, bins in found.items() if bins})
    figure = sheet(1.15 + 1.75 * -(-len(names) // 2), title, NOTE)
    axes = panels(figure, names)
    for panel, arm in zip(axes, names, strict=True):
        _draw(panel, found[arm])
    label_edges(axes, "confidence (%)", "accuracy (%)")
    told = " ".join(_told(arm, found[arm]) for arm in names)
    return picture(figure, f"{title}. {told}", _table(found))


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
    error, spread = np.zeros(len(total)), np.zeros(len(total))
    if seeds > 1:
        t = stdtrit(seeds - 1, 0.975)
        error = np.sqrt(residuals.sum(axis=0) * seeds / (seeds - 1)) / filled * t
        spread = (count / count.sum(axis=1, keepdims=True)).std(axis=0, ddof=1) / np.sqrt(seeds) * t
    confidence = (count * sure).sum(axis=0) / filled
    return Bins(total / total.sum(), confidence, accuracy, np.nan_to_num(error), spread)


def _draw(panel: Axes, bins: Bins | None) -> None:
    panel.plot([0, 100], [0, 100], color=FAINT, linewidth=1.2)
    panel.set(xlim=(0, 102), ylim=(0, 102))
    if bins is None:
        say(panel, "no seed came to the end of its training")
        return
    kept = bins.share >= FEW
    x, y, reach = (100 * values[kept] for values in (bins.confidence, bins.accuracy, bins.error))
    panel.errorbar(x, y, reach, color=ACCENT, marker="o", markersize=4, linewidth=1.4, elinewidth=1.2)


def _title(found: Mapping[str, Bins]) -> str:
    """Return whose confidence is furthest from its accuracy, and whose nearest."""
    gaps = {arm: 100 * (bins.means[0] - bins.means[1]) for arm, bins in found.items()}
    furthest, nearest = (pick(gaps, key=lambda arm: abs(gaps[arm])) for pick in (max, min))
    first = f"Confidence minus accuracy: {short(furthest)} {_points(gaps[furthest])}"
    return (
        first if len(gaps) == 1 else f"{first}, the furthest off; {short(nearest)} {_points(gaps[nearest])}"
    )


def _points(gap: float) -> str:
    return f"{gap:+.1f} points".replace("-", "−")


def _table(found: Mapping[str, Bins | None]) -> Table:
    """Return the points that are drawn, a row per arm and bin."""
    columns = ("arm", "confidence (%)", "accuracy (%)", "± (points)", "share of predictions (%)")
    rows = []
    for arm, bins in found.items():
        if bins:
            numbers = 100 * np.stack([bins.confidence, bins.accuracy, bins.error, bins.share])
            rows += [(arm, *point) for point in numbers.T[bins.share >= FEW].tolist()]
    return Table(columns, rows)


def _told(arm: str, bins: Bins | None) -> str:
    if bins is None:
        return f"{arm}: nothing to show."
    sure, right = bins.means
    side = "more sure than right" if sure > right else "more right than sure"
    return f"{arm}: mean confidence {percent(sure)}, accuracy {percent(right)}: {side}."
